"""The decision record: the same in `kairos simulate`, in the job's decision stream and in the warehouse."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Outcome = Literal["send", "match", "hold", "suppress", "control", "goal", "regret"]

Cause = Literal["absence", "goal", "receipt", "restart", "too_large", "exit"]
"""What undid a message that waited: the event that its final absence forbids, a met goal, the receipt that its fallback
stands in for, a new version that restarts, the bound on a user's state, the end of its journey."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says that does not allow.

    `hold`: ask again at `until`; `give_up`: when a cap's patience ends (0: it has none). `why`: for people.
    """

    outcome: Literal["suppress", "hold", "control"]
    reason: str | None = None
    until: int = 0
    give_up: int = 0
    why: str = ""


class Rival(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of those that were compared. `p`: how likely it was to win, given all that was known. `cost`, `price`: where
    it spends a shared budget, of which each unit costs `price` points of the score."""

    activity: str
    score: float
    p: float
    cost: float | None = None
    price: float | None = None


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one candidate of a group (policy.yaml, `matching`) was compared with the others, best first.

    `score` None: it could not be told. `taken`: no slot was free, since the last win at this event time (ms).
    """

    group: str
    score: float | None
    p: float
    won: bool
    candidates: tuple[Rival, ...] = ()
    taken: int | None = None


class Record(msgspec.Struct, omit_defaults=False):
    """One decision. `at` is the event time (ms) at which it was decided; `occurrence` is the same in every run.

    `reason` is null for send, match, control, goal and regret. The last fields appear only when set: `attempt` (from
    2), `degraded`, `after_end` (of a simulation: later than the last event that is known, so what might have changed it
    is not), `cause` (what cancelled it, `Cause`), `cut` (it was too large, and is not whole: record_size.py), `crowds`
    (the kept crowds that were asked -> the number of the snapshot that answered), `shadow` (decided
    on trial: nobody was contacted), `rollout` (under a version that only a share of users has), `choice` (of a group
    that competes).
    """

    activity: str
    version: str
    variant: str | None
    template: str | None
    user_id: str
    at: int
    outcome: Outcome
    reason: str | None
    channel: str | None
    occurrence: str
    steps: dict[str, list[str]]
    data: dict[str, Any]
    value: Any = msgspec.UNSET
    attempt: int | msgspec.UnsetType = msgspec.UNSET
    degraded: bool | msgspec.UnsetType = msgspec.UNSET
    after_end: bool | msgspec.UnsetType = msgspec.UNSET
    cause: str | msgspec.UnsetType = msgspec.UNSET
    cut: bool | msgspec.UnsetType = msgspec.UNSET
    crowds: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    shadow: bool | msgspec.UnsetType = msgspec.UNSET
    rollout: bool | msgspec.UnsetType = msgspec.UNSET
    choice: Choice | msgspec.UnsetType = msgspec.UNSET

    @property
    def key(self) -> tuple[str, str, str, int, str, bool]:
        """Records with the same key are the same record, repeated; readers keep the first."""
        return (self.activity, self.user_id, self.occurrence, self.attempt or 1, self.outcome, bool(self.shadow))


def occurrence_id(activity: str, steps: dict[str, list[str]]) -> str:
    """16 hex digits of the steps and their event ids: one match has one id, in every run and every version."""
    payload = msgspec.json.encode([activity, sorted(steps.items())])
    return hashlib.blake2b(payload, digest_size=8).hexdigest()


def share_of(user_id: str, salt: str) -> float:
    """A stable number in [0, 1) for this user and salt: sticky samples, control groups and variants."""
    digest = hashlib.blake2b(f"{salt}\0{user_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
