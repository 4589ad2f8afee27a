"""Nothing sent in quiet hours: when each call that may have reached its user began, on the user's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kairos.apps.audit.book import Book
from kairos.apps.audit.result import Result
from kairos.apps.audit.tell import clock
from kairos.apps.audit.world import UNKNOWN_POLICY, UNKNOWN_VERSION, World
from kairos.engine.policy.spec import Policy, QuietHours
from kairos.engine.rule.model import Activity

WAKES_NOBODY = ("webhook", "console", "file")
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


def check(book: Book, world: World, result: Result) -> None:
    judged = 0
    for call in (_Called(*row) for row in book.ask(_CALLS)):
        definition, policies = world.activity(call.version), world.policies(call.at)
        if definition is None:
            result.not_judged[f"calls {UNKNOWN_VERSION}"] += 1
        elif why := _exempt(definition, call.channel):
            result.exempt[why] += 1
        elif not policies:
            result.not_judged[f"calls {UNKNOWN_POLICY}"] += 1
        else:
            judged += 1
            zones = [_quiet_in(world, policy, call, definition) for policy in policies]
            if (zone := zones[0]) and all(zones):
                what = f"{call.activity} for {call.user_id}: call {call.number} at {clock(call.started_at, zone)}"
                result.add(f"{what}, in quiet hours ({call.channel})", call.key)
    result.examined = {"calls": judged}


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
