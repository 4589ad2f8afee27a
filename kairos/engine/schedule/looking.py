"""`publish --sweep`: everyone known is looked at once, spread over a time, so that a shorter wait ends then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kairos.engine.event import KAIROS, LOOK, Event
from kairos.engine.rule.release import Release
from kairos.engine.schedule.due import id_about
from kairos.engine.schedule.pace import Turn, in_order
from kairos.engine.schedule.runs import Run

_NAMED = "sweep/"
"""Before the number of the release, in the place of an activity: no activity's name has a slash."""


def sweep_of(release: Release) -> Run | None:
    """As a run whose slot is the time (ms) over which it is spread; None: the release asks for none."""
    if not release.sweep:
        return None
    return Run(release.effective_at, f"{_NAMED}{release.number}", str(release.sweep))


def is_sweep(run: Run) -> bool:
    return run.activity.startswith(_NAMED)


def looks(sweep: Run, users: Iterable[str]) -> Iterator[Turn]:
    """Evenly over its time, in the order of a hash, in whole seconds: so often it is noted how far it has got."""
    window = int(sweep.slot)
    for place, user in in_order(users, sweep.activity, sweep.slot):
        yield Turn(user, int(place * window) // 1_000 * 1_000, place)


def look_event(sweep: Run, user_id: str, at: int) -> Event:
    return Event(id_about(sweep.activity, user_id), LOOK, at, KAIROS, {}, user_id)
