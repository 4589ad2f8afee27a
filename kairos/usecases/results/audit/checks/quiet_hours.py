"""Nothing sent in quiet hours, or outside the hours to send in: when each call that may have reached its user began, on
the user's own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kairos.engine.channel import WAKES_NOBODY
from kairos.engine.policy.spec import Policy, QuietHours, SendWindow
from kairos.engine.rule.model import Activity
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.tell import clock
from kairos.usecases.results.audit.world import UNKNOWN_POLICY, UNKNOWN_VERSION, World

_CALLS = """
SELECT s.user_id, s.key, s.at, s.activity, s.version, s.channel, s.degraded, c.number, c.started_at
FROM calls c JOIN sends s ON s.key = c.key
WHERE c.outcome IS NULL OR c.outcome IN ('accepted', 'unknown')
ORDER BY s.user_id, c.started_at"""


class _Called(NamedTuple):
    """A call that may have reached its user; `at` is the decision's time."""

    user_id: str
    key: str
    at: int
    activity: str
    version: str
    channel: str
    degraded: bool | None
    number: int
    started_at: int


Forbidden = Callable[[World, Policy, _Called, Activity], ZoneInfo | None]
"""The user's zone, on whose clock a call was made when it must not; None: it might be made."""


def check(book: Book, world: World, result: Result) -> None:
    _judge(book, world, result, _exempt, _quiet_in, "in quiet hours")


def check_send_window(book: Book, world: World, result: Result) -> None:
    _judge(book, world, result, _without_window, _closed_in, "outside its hours")


def _judge(
    book: Book,
    world: World,
    result: Result,
    exempt: Callable[[Activity, str], str | None],
    forbidden: Forbidden,
    said: str,
) -> None:
    judged = 0
    for call, definition in calls_of(book, world, result):
        policies = world.policies(call.at)
        if why := exempt(definition, call.channel):
            result.exempt[why] += 1
        elif not policies:
            result.not_judged[f"calls {UNKNOWN_POLICY}"] += 1
        else:
            judged += 1
            zones = [forbidden(world, policy, call, definition) for policy in policies]
            if (zone := zones[0]) and all(zones):
                what = f"{call.activity} for {call.user_id}: call {call.number} at {clock(call.started_at, zone)}"
                result.add(f"{what}, {said} ({call.channel})", call.key)
    result.examined = {"calls": judged}


def calls_of(book: Book, world: World, result: Result) -> Iterator[tuple[_Called, Activity]]:
    for call in (_Called(*row) for row in book.ask(_CALLS)):
        definition = world.activity(call.version)
        if definition is None:
            result.not_judged[f"calls {UNKNOWN_VERSION}"] += 1
        else:
            yield call, definition


def _without_window(definition: Activity, channel: str) -> str | None:
    return "of activities that may send at any hour" if definition.limits.send_window is None else None


def _closed_in(world: World, policy: Policy, call: _Called, definition: Activity) -> ZoneInfo | None:
    zone, window = (
        world.zone(call.user_id, definition, policy, degraded=bool(call.degraded)),
        definition.limits.send_window,
    )
    return None if window is None or _is_open(window, call.started_at, zone) else zone


def _is_open(window: SendWindow, time: int, zone: ZoneInfo) -> bool:
    if not _is_quiet(window.hours, time, zone):
        return False
    local = datetime.fromtimestamp(time / 1000, UTC).astimezone(zone)
    after_midnight = window.hours.start > window.hours.end and 60 * local.hour + local.minute < window.hours.end
    return (local.date() - timedelta(days=after_midnight)).weekday() in window.days


def _exempt(definition: Activity, channel: str) -> str | None:
    if channel in WAKES_NOBODY:
        return "on channels that wake nobody"
    return "of activities that ignore quiet hours" if definition.limits.quiet_hours == "ignore" else None


def _quiet_in(world: World, policy: Policy, call: _Called, definition: Activity) -> ZoneInfo | None:
    """The zone in which this is in the user's quiet hours; None: it is not, or the user is on the white list."""
    if policy.quiet_hours is None:
        return None
    zone = world.zone(call.user_id, definition, policy, degraded=bool(call.degraded))
    quiet = _is_quiet(policy.quiet_hours, call.started_at, zone) and not world.white(call.user_id, policy)
    return zone if quiet else None


def _is_quiet(quiet: QuietHours, time: int, zone: ZoneInfo) -> bool:
    local = datetime.fromtimestamp(time / 1000, UTC).astimezone(zone)
    minute = 60 * local.hour + local.minute
    inside = range(quiet.start, quiet.end)
    around = range(quiet.end, quiet.start)
    return minute in inside if quiet.start < quiet.end else minute not in around
