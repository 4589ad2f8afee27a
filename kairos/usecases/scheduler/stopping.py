"""`stop_if`: what the receipts of a run say, and what its people have said since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kairos.adapters.kafka.receipts import Outcomes
from kairos.engine.rule.model import Activity, Pace
from kairos.engine.schedule.runs import Run
from kairos.usecases.scheduler.ports import People

LOOK_MS = 10_000
"""So often it is looked at a run."""
ENOUGH = 20
"""Of fewer messages nothing is concluded."""


class Receipts(Protocol):
    def of(self, activity: str, since: int, now: int) -> Outcomes:
        """What was heard of the activity's messages since then (epoch ms). Raises KafkaUnreachableError."""
        ...


class Nothing:
    """Where receipts are not heard."""

    def of(self, activity: str, since: int, now: int) -> Outcomes:
        return Outcomes()


class Brake:
    """Asked again and again while a run lasts. `clock`: epoch ms."""

    def __init__(self, people: People, receipts: Receipts, clock: Callable[[], int]) -> None:
        self._people, self._receipts, self._clock = people, receipts, clock
        self._looked: dict[Run, int] = {}

    def why(self, run: Run, begun_at: int, told: int, activity: Activity) -> str | None:
        """Why the run has to stop; None: it may go on."""
        pace, now = activity.pace, self._clock()
        if pace is None or (pace.stop_failed is None and pace.stop_unsubscribed is None):
            return None
        if now - self._looked.get(run, 0) < LOOK_MS:
            return None
        self._looked[run] = now
        return self._failed(run, begun_at, pace, now) or self._unsubscribed(begun_at, told, pace)

    def _failed(self, run: Run, begun_at: int, pace: Pace, now: int) -> str | None:
        if pace.stop_failed is None:
            return None
        sent, failed = self._receipts.of(run.activity, begun_at, now)
        share = failed / max(1, sent + failed)
        if sent + failed < ENOUGH or share <= pace.stop_failed:
            return None
        return f"{failed:,} of {sent + failed:,} messages failed, more than {pace.stop_failed:.3g} of them"

    def _unsubscribed(self, begun_at: int, told: int, pace: Pace) -> str | None:
        if pace.stop_unsubscribed is None or told < ENOUGH:
            return None
        gone = self._people.count_refused_since(begun_at)
        if gone / told <= pace.stop_unsubscribed:
            return None
        return f"{gone:,} of {told:,} people have unsubscribed, more than {pace.stop_unsubscribed:.3g} of them"
