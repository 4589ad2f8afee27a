"""What a gate is asked, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from kairos.engine.address import texts
from kairos.engine.expression.scope import Scope
from kairos.engine.policy.spec import UserList
from kairos.engine.rule.compile import Plan
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend, CompiledVariant
from kairos.engine.user_state import Case, UserState


@dataclass(frozen=True, slots=True)
class Verdict:
    """`hold`: ask again at `until`; `give_up`: when a cap's patience ends (0: it has none)."""

    outcome: Literal["suppress", "hold", "control"]
    reason: str | None = None
    until: int = 0
    give_up: int = 0


@dataclass(slots=True)
class Question:
    """May this case be sent now? `entries` are the ways left, (index in `send`, entry); gates narrow them down."""

    plan: Plan
    activity: CompiledActivity
    state: UserState
    case: Case
    user_id: str
    now: int
    scope: Scope
    profile: Mapping[str, Any] | None  # None: nobody knows this user
    check_reach: bool
    variant: CompiledVariant | None = None
    entries: list[tuple[int, CompiledSend]] = field(default_factory=list)

    @property
    def first_attempt(self) -> bool:
        return self.case.attempt == 0

    @property
    def zone(self) -> ZoneInfo:
        return self.scope.zone

    def listed(self, which: UserList | None, name: str) -> bool:
        if which is None:
            return False
        if which.users is None:
            return name in texts(self.profile, "lists")
        return self.user_id in which.users

    @property
    def white(self) -> bool:
        return self.listed(self.plan.policy.white, "white")


class Gate(Protocol):
    """None: allowed, as far as this gate goes."""

    def __call__(self, question: Question, /) -> Verdict | None: ...


def suppress(reason: str) -> Verdict:
    return Verdict("suppress", reason)
