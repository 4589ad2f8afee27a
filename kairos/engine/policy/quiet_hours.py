"""Quiet hours: [from, to) on the user's own clock, over midnight and over changes of summer time."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from kairos.engine.policy.spec import DAY, QuietHours
from kairos.engine.time_zone import change_between, local, offset_ms

MINUTE = 60_000


def is_quiet(quiet: QuietHours, time: int, zone: ZoneInfo) -> bool:
    moment = local(time, zone)
    minute = moment.hour * 60 + moment.minute
    if quiet.start < quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def quiet_until(quiet: QuietHours, time: int, zone: ZoneInfo) -> int | None:
    """Epoch ms of the first moment after `time` that is not quiet; None if `time` is not quiet itself."""
    return _next(quiet, time, zone, False) if is_quiet(quiet, time, zone) else None


def next_quiet(quiet: QuietHours, time: int, zone: ZoneInfo) -> int:
    """Epoch ms at which the next quiet hours begin after `time`, which is not quiet itself."""
    return _next(quiet, time, zone, True)


def _next(quiet: QuietHours, time: int, zone: ZoneInfo, wanted: bool) -> int:
    """When the clock next shows the time that begins (ends) quiet hours, or jumps past it."""
    offset = offset_ms(time, zone)
    boundary = quiet.start if wanted else quiet.end
    at = time + (boundary * MINUTE - time - offset) % DAY
    if offset_ms(at, zone) == offset:
        return at
    jump = change_between(time, at, zone)
    return jump if is_quiet(quiet, jump, zone) is wanted else _next(quiet, jump, zone, wanted)
