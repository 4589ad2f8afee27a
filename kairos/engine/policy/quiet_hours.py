"""Quiet hours: [from, to) on the user's own clock, over midnight and over changes of summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kairos.engine.policy.spec import DAY, QuietHours

MINUTE = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def local(time: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=time)).astimezone(zone)


def epoch_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


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
    offset = _offset(time, zone)
    boundary = quiet.start if wanted else quiet.end
    at = time + (boundary * MINUTE - time - offset) % DAY
    if _offset(at, zone) == offset:
        return at
    jump = _jump(time, at, zone)
    return jump if is_quiet(quiet, jump, zone) is wanted else _next(quiet, jump, zone, wanted)


def _jump(before: int, after: int, zone: ZoneInfo) -> int:
    """The first moment of the other offset, of two moments between which the clock was changed."""
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(time: int, zone: ZoneInfo) -> int:
    """Local time minus UTC, in ms."""
    return (local(time, zone).utcoffset() or timedelta()) // _MILLISECOND
