"""Where people inside a journey stand, told from decisions alone: what `publish` says of an edit.

A place is inferred: waits without a record of their own are walked from the last record on. Conditions cannot be asked
here, so of a `choose` the first branch that begins with a wait is taken, or what follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kairos.engine.journey.waits import end_of
from kairos.engine.rule.compiled_journey import Stop, dealt, stops_of
from kairos.engine.rule.journey import LEFT, Choose, Journey, Leave, Split, Wait, WaitFor, every_step


class Decided(NamedTuple):
    """A record of a journey's run. `step`: "" of the entry; `at`: epoch ms."""

    user_id: str
    occurrence: str
    step: str
    outcome: str
    at: int


def standing(journey: Journey, records: Iterable[Decided], now: int, zone: ZoneInfo) -> Counter[str]:
    """Key of a step -> how many runs wait there at `now`. Records of one run come in order of time."""
    first, stops = stops_of(journey.steps)
    order = {step.key: number for number, step in enumerate(every_step(journey.steps))}
    last: dict[tuple[str, str], Decided] = {}
    gone: set[tuple[str, str]] = set()
    for record in records:
        run = (record.user_id, record.occurrence)
        if record.step == LEFT or record.outcome == "control":
            gone.add(run)
        known = last.get(run)
        if known is None or record.at > known.at or order.get(record.step, -1) >= order.get(known.step, -1):
            last[run] = record
    places = (_place(first, stops, journey, one, now, zone) for run, one in last.items() if run not in gone)
    return Counter(place for place in places if place is not None)


def _place(
    first: str | None, stops: dict[str, Stop], journey: Journey, last: Decided, now: int, zone: ZoneInfo
) -> str | None:
    """None: by now they should have left, and nobody has said so."""
    if last.outcome == "hold" or (last.step and last.step not in stops):
        return last.step
    key, since = (stops[last.step].following if last.step else first), last.at
    while key is not None:
        stop = stops[key]
        until = _until(stop, since, zone)
        if until is not None and until > now:
            return key
        key, since = _next(stop, stops, journey.name, last.user_id), until or since
    return None


def _until(stop: Stop, since: int, zone: ZoneInfo) -> int | None:
    """None: it is no wait."""
    match stop.step:
        case Wait() as wait:
            return end_of(wait, since, zone, {})
        case WaitFor(within=within):
            return since + within
    return None


def _next(stop: Stop, stops: dict[str, Stop], journey: str, user_id: str) -> str | None:
    match stop.step:
        case WaitFor():
            return stop.ways[0].first
        case Choose():
            firsts = (way.first for way in stop.ways)
            return next((key for key in firsts if key and isinstance(stops[key].step, Wait | WaitFor)), stop.following)
        case Split():
            return stop.ways[dealt(journey, stop, user_id)].first
        case Leave():
            return None
    return stop.following
