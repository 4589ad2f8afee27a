"""Which events a user's state has taken, against repetitions: ten bytes of each, one after the other.

A record is 44 bits of a hash of (source, id) and the low 36 bits of the event time in ms, which tell apart times that
are less than half of `ROUND` away from each other, a year. Two events of one user are taken for one, and the second
dropped, with a probability of one in 2**44 (for a thousand events remembered: one in 10**10 events).
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from kairos.engine.event import Event

RECORD = 10
ROUND = 1 << 36
REMEMBERED_AT_MOST = 365 * 86_400_000
"""ms; no longer horizon than this is kept."""
NOWHERE = -1

_WHOLE = 5  # bytes that are the hash's alone; it shares the sixth with the time


def look(seen: bytes, event: Event) -> tuple[int, int]:
    """The event's hash as it stands in a record, and where its record begins (NOWHERE: it has none)."""
    digest = blake2b(f"{event.source}\0{event.id}".encode(), digest_size=6).digest()
    at = seen.find(digest[:_WHOLE])
    while at >= 0 and (at % RECORD or (seen[at + _WHOLE] ^ digest[_WHOLE]) & 0xF0):
        at = seen.find(digest[:_WHOLE], at + 1)
    return int.from_bytes(digest) >> 4 << 36, at


def time_at(seen: bytes, place: int, near: int) -> int:
    """The record's event time (ms): of all that it could be, the one nearest to `near`."""
    low = int.from_bytes(seen[place : place + RECORD]) % ROUND
    return near + (low - near + ROUND // 2) % ROUND - ROUND // 2


def with_record(seen: bytes, place: int, mark: int, time: int) -> bytes:
    """A new record at the end (`place` NOWHERE), or another time in the one that is there."""
    record = (mark | time % ROUND).to_bytes(RECORD)
    return seen + record if place == NOWHERE else seen[:place] + record + seen[place + RECORD :]


def times_of(seen: bytes, near: int) -> Iterator[int]:
    """Event times (ms) of all records, in their order."""
    return (time_at(seen, place, near) for place in range(0, len(seen), RECORD))


def later_than(seen: bytes, horizon: int, now: int) -> bytes:
    """The records of events after `horizon` (ms)."""
    places = range(0, len(seen), RECORD)
    return b"".join(seen[place : place + RECORD] for place in places if time_at(seen, place, now) > horizon)
