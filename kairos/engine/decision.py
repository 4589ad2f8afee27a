"""The decision record: the same in `kairos simulate`, in the job's decision stream and in the warehouse."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

Outcome = Literal["send", "match", "hold", "suppress", "control", "goal", "regret"]


class Record(msgspec.Struct, omit_defaults=False):
    """One decision. `at` is the event time (ms) at which it was decided; `occurrence` is the same in every run.

    `reason` is null for send, match, control, goal and regret. `attempt` (from 2) and `degraded` appear only when set.
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

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """Records with the same key are the same record, repeated; readers keep the first."""
        return (self.activity, self.user_id, self.occurrence, self.attempt or 1, self.outcome)


def occurrence_id(activity: str, steps: dict[str, list[str]]) -> str:
    """16 hex digits of the steps and their event ids: one match has one id, in every run and every version."""
    payload = msgspec.json.encode([activity, sorted(steps.items())])
    return hashlib.blake2b(payload, digest_size=8).hexdigest()


def share_of(user_id: str, salt: str) -> float:
    """A stable number in [0, 1) for this user and salt: sticky samples, control groups and variants."""
    digest = hashlib.blake2b(f"{salt}\0{user_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
