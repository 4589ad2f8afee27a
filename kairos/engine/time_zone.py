"""Local time and the changes of it: of epoch ms in a zone, with the rules of IANA's database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def local(time: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=time)).astimezone(zone)


def epoch_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def offset_ms(time: int, zone: ZoneInfo) -> int:
    """Local time minus UTC, in ms."""
    return (local(time, zone).utcoffset() or timedelta()) // _MILLISECOND


def change_between(before: int, after: int, zone: ZoneInfo) -> int:
    """The first ms with the offset of `after`, of two moments between which the clock was changed once."""
    offset = offset_ms(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_ms(middle, zone) == offset:
            after = middle
        else:
            before = middle
    return after
