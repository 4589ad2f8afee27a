"""Quiet hours: [from, to) on the user's own clock, over midnight and over changes of summer time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kairos.engine.policy.spec import QuietHours

MINUTE = 60_000


def local(time: int, zone: ZoneInfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)).astimezone(zone)


def epoch_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def is_quiet(quiet: QuietHours, time: int, zone: ZoneInfo) -> bool:
    moment = local(time, zone)
    minute = moment.hour * 60 + moment.minute
    if quiet.start < quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def quiet_until(quiet: QuietHours, time: int, zone: ZoneInfo) -> int | None:
    """Epoch ms of the first moment at or after `time` that is not quiet; None if `time` is not quiet itself."""
    if not is_quiet(quiet, time, zone):
        return None
    day = local(time, zone).date()
    for days in (0, 1):
        midnight = datetime(day.year, day.month, day.day) + timedelta(days=days, minutes=quiet.end)
        for fold in (0, 1):
            end = epoch_ms(midnight.replace(tzinfo=zone, fold=fold).astimezone(UTC))
            if end > time and not is_quiet(quiet, end, zone):
                return _first_awake(quiet, max(time, end - 180 * MINUTE), end, zone)
    raise AssertionError("quiet hours end within two days")


def next_quiet(quiet: QuietHours, time: int, zone: ZoneInfo) -> int:
    """Epoch ms at which the next quiet hours begin after `time`, which is not quiet itself."""
    day = local(time, zone).date()
    midnight = datetime(day.year, day.month, day.day)
    starts = (midnight + timedelta(days=days, minutes=quiet.start) for days in (0, 1, 2))
    starts_ms = (epoch_ms(start.replace(tzinfo=zone).astimezone(UTC)) for start in starts)
    return next(start for start in starts_ms if start > time)


def _first_awake(quiet: QuietHours, asleep: int, awake: int, zone: ZoneInfo) -> int:
    """The local `to` may not exist (spring): then the quiet hours end where the clock jumps, before `awake`."""
    if is_quiet(quiet, awake - 1, zone):
        return awake
    while awake - asleep > 1:
        middle = (asleep + awake) // 2
        if is_quiet(quiet, middle, zone):
            asleep = middle
        else:
            awake = middle
    return awake
