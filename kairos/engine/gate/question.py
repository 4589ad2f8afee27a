"""What a gate is asked, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.decision import Verdict as Verdict
from kairos.engine.profile.address import reachable
from kairos.engine.profile.consent import is_listed
from kairos.engine.profile.merged import merged_in
from kairos.engine.profile.port import Degraded
from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend, CompiledVariant
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Instant, Moment
from kairos.engine.user.state import UserState


class Question(msgspec.Struct, eq=False, gc=False):
    """May this case be sent now? `entries` are the ways left, (index in `send`, entry); gates narrow them down.

    `profile` None: nobody knows this user. `scope`: what expressions of the activity are asked against.
    `ghost`: of the control group, but it competes for the slot of its group all the same.
    """

    instant: Instant
    activity: CompiledActivity
    case: Case
    scope: Moment
    program: Program
    state: UserState
    user_id: str
    now: int
    zone: ZoneInfo
    profile: Mapping[str, Any] | None
    variant: CompiledVariant | None
    entries: list[tuple[int, CompiledSend]]
    ghost: bool = False

    @property
    def first_attempt(self) -> bool:
        return self.case.attempt == 0

    @property
    def last_time(self) -> int | None:
        """After this time (ms) the message is pointless, where the activity says so (`send_before`)."""
        limit = self.activity.spec.limits.send_before
        return None if limit is None else self.case.matched_at + limit

    def reaches(self, channel: str) -> bool:
        known = self.instant.surroundings.profiles is not None and not isinstance(self.profile, Degraded)
        return reachable(self.profile, channel, known, self.activity.spec.service)

    def listed(self, name: str) -> bool:
        lists = self.program.lists
        if name not in lists:
            return False
        users = lists[name]
        if users is None:
            return is_listed(self.profile, name)
        ids = (self.user_id, *merged_in(self.profile).ids)
        return (any if name == "black" else all)(user in users for user in ids)

    @property
    def white(self) -> bool:
        return self.listed("white")


def competes(activity: CompiledActivity, program: Program) -> bool:
    """Whether its first message has to win a slot of its group."""
    return activity.spec.matching in program.policy.matching and not activity.is_watch


class Gate(Protocol):
    """A gate: its verdict on a question, or None where it allows."""

    def __call__(self, question: Question, /) -> Verdict | None: ...


def suppress(reason: str, why: str = "") -> Verdict:
    return Verdict("suppress", reason, why=why)
