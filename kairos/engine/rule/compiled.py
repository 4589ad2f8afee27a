"""An activity ready to run: expressions are closures, its pattern is an automaton."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.expression.scope import Scope
from kairos.engine.pattern import Matcher
from kairos.engine.rule.model import Activity, Send

Predicate = Callable[[Scope], bool]
Value = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class CompiledSend:
    """One entry of `send`: `data` is the activity's with the entry's own over it, `personal` the names in it that
    read an address.

    `variables`: what its template reads of `data` and of the profile; without those in `required` it would have a hole.
    """

    spec: Send
    data: dict[str, Value]
    personal: frozenset[str]
    variables: tuple[str, ...]
    required: tuple[str, ...]

    @property
    def channel(self) -> str:
        return self.spec.channel


@dataclass(frozen=True, slots=True)
class CompiledVariant:
    name: str | None
    weight: float
    sends: tuple[CompiledSend, ...]


@dataclass(frozen=True, slots=True)
class CompiledGoal:
    events: tuple[str, ...]
    within: int
    where: Predicate | None
    value: Value | None


@dataclass(frozen=True, slots=True)
class CompiledActivity:
    """An activity ready to run. `variants` is empty for a watch; `data` and `personal` as in `CompiledSend`.

    `origin` marks the runs of this definition. `begins`: what holds of the first event of every match, and asks nothing
    but that event; None: nothing is known.
    """

    spec: Activity
    version: str
    origin: bytes
    matcher: Matcher
    begins: Predicate | None
    where: Predicate | None
    data: dict[str, Value]
    personal: frozenset[str]
    variants: tuple[CompiledVariant, ...]
    goal: CompiledGoal | None
    zone: ZoneInfo | None
    first_priority: int  # negative priority: sorts high ones first

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def is_watch(self) -> bool:
        return not self.variants
