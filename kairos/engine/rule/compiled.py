"""An activity ready to run: expressions are closures, its pattern is an automaton."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.decision import share_of
from kairos.engine.expression.scope import Scope
from kairos.engine.expression.tree import Node
from kairos.engine.pattern import Matcher
from kairos.engine.rule.model import Activity, Send

Predicate = Callable[[Scope], bool]
Value = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class CompiledSend:
    """One entry of `send`: `data` is the activity's with the entry's own over it, `personal` the names in it that
    read an address.

    `variables`: what its template reads of `data`, of the profile and of catalogs. `coupons`: name in `data` -> the
    pool that its code is taken from.
    """

    spec: Send
    channel: str
    data: dict[str, Value]
    personal: frozenset[str]
    variables: tuple[str, ...]
    coupons: dict[str, str]


@dataclass(frozen=True, slots=True)
class CompiledVariant:
    name: str | None
    weight: float
    sends: tuple[CompiledSend, ...]


@dataclass(frozen=True, slots=True)
class CompiledGoal:
    """`reads_steps`: whether `where` depends on what the case has taken."""

    events: tuple[str, ...]
    within: int
    where: Predicate | None
    reads_steps: bool
    value: Value | None


@dataclass(frozen=True, slots=True)
class CompiledWorth:
    """Numbers, or what is asked for them; None: it is not said. `uplift` may be `model.MEASURED`."""

    uplift: Value | float | str | None
    value: Value | float | None
    cost: Value | float | None


@dataclass(frozen=True, slots=True)
class CompiledOpening:
    """What can be told of the first event of a match before its turn (expression/foreseen.py). `priors`: the metrics
    that it reads, as they stand before the event."""

    holds: Predicate
    priors: frozenset[str]


@dataclass(frozen=True, slots=True)
class CompiledActivity:
    """An activity ready to run. `variants` is empty for a watch; `data` and `personal` as in `CompiledSend`.

    `origin` marks the runs of this definition. `opening`: what holds of the first event of every match; `begins`: what
    of it can be told beforehand. None: nothing is known.
    """

    name: str
    spec: Activity
    version: str
    origin: bytes
    matcher: Matcher
    opening: Node | None
    begins: CompiledOpening | None
    where: Predicate | None
    data: dict[str, Value]
    personal: frozenset[str]
    variants: tuple[CompiledVariant, ...]
    goal: CompiledGoal | None
    zone: ZoneInfo | None
    first_priority: int  # negative priority: sorts high ones first
    worth: CompiledWorth | None = None

    @property
    def is_watch(self) -> bool:
        return not self.variants

    @property
    def pools(self) -> frozenset[str]:
        """Of the codes that its messages take."""
        return frozenset(pool for variant in self.variants for send in variant.sends for pool in send.coupons.values())

    @property
    def patience(self) -> int:
        """How long (ms) all fallbacks together may wait for a receipt."""
        return sum(send.spec.after or 0 for variant in self.variants for send in variant.sends)

    def variant_of(self, user_id: str) -> CompiledVariant | None:
        """The variant of an A/B test that this user gets: sticky by user; weights are relative. None for a watch."""
        variants = self.variants
        if len(variants) < 2:
            return variants[0] if variants else None
        point = share_of(user_id, f"{self.name}/variant") * sum(v.weight for v in variants)
        for variant in variants:
            point -= variant.weight
            if point < 0:
                return variant
        return variants[-1]

    def entry_after(self, entry: int, user_id: str) -> CompiledSend | None:
        """The entry of `send` behind the one with this index; None: there is none."""
        variant = self.variant_of(user_id)
        if variant is None or entry + 1 >= len(variant.sends):
            return None
        return variant.sends[entry + 1]
