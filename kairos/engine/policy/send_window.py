"""The hours to send in: on certain days, on the user's own clock, over midnight and over changes of summer time."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from kairos.engine.policy.quiet_hours import is_quiet, next_quiet, quiet_until
from kairos.engine.policy.spec import SendWindow
from kairos.engine.time_zone import local

_DAYS_BEFORE_ONE_COMES_AGAIN = 8


def opens_at(window: SendWindow, time: int, zone: ZoneInfo) -> int | None:
    """Epoch ms of the first moment after `time` to send at; None: `time` is one itself."""
    hours = window.hours
    if _is_open(window, time, zone):
        return None
    at = time
    for _ in range(_DAYS_BEFORE_ONE_COMES_AGAIN):
        end = quiet_until(hours, at, zone)
        at = next_quiet(hours, at if end is None else end, zone)
        if _is_open(window, at, zone):
            break
    return at


def closes_at(window: SendWindow, time: int, zone: ZoneInfo) -> int:
    """Epoch ms of the first moment after `time`, at which it is open, that is not one to send at."""
    end = quiet_until(window.hours, time, zone)
    return time if end is None else end


def _is_open(window: SendWindow, time: int, zone: ZoneInfo) -> bool:
    hours = window.hours
    if not is_quiet(hours, time, zone):
        return False
    moment = local(time, zone)
    began = moment.date()
    if hours.start > hours.end and moment.hour * 60 + moment.minute < hours.end:
        began -= timedelta(days=1)
    return began.weekday() in window.days
