"""Which events a user's state has taken, against repetitions: ten bytes of each.

A record is 44 bits of a hash of (source, type, id) and the low 36 bits of the event time in ms, which tell apart times
that are less than half of `ROUND` away from each other, a year. Two events of one user are taken for one, and the
second dropped, with a probability of one in 2**44 (for a thousand events remembered: one in 10**10 events).

Records lie in buckets, by the lowest bits of their hash; there are twice as many once one is full. So a look costs the
same for the user with a hundred thousand events as for the one with a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from kairos.engine.event import Event

Seen = list[bytes]
"""The buckets, a power of two of them; none where nothing is remembered."""

RECORD = 10
ROUND = 1 << 36
BUCKET = 200 * RECORD

_WHOLE = 5  # bytes that are the hash's alone; it shares the sixth with the time


def mark_of(event: Event) -> int:
    """The event's hash as it stands in a record, with room for the time below it."""
    digest = blake2b(f"{event.source}\0{event.type}\0{event.id}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) >> 4 << 36


def mark_before(event: Event) -> int:
    """As versions of the state up to 3 had it: the same for all types of event."""
    return int.from_bytes(blake2b(f"{event.source}\0{event.id}".encode(), digest_size=6).digest()) >> 4 << 36


def time_of(seen: Seen, mark: int, near: int) -> int | None:
    """The event time (ms) remembered of this event: of all that it could be, the one nearest to `near`."""
    if not seen:
        return None
    records = seen[_bucket(mark, seen)]
    place = place_of(records, mark)
    return None if place < 0 else time_at(records, place, near)


def look(seen: Seen, mark: int, time: int) -> int | None:
    """As `time_of`; what is not remembered is from here on."""
    if not seen:
        seen.append(b"")
    number = (mark >> 36) & (len(seen) - 1)  # as `_bucket`: every event comes here
    records, record = seen[number], record_of(mark, time)
    if record[:_WHOLE] in records and (place := place_of(records, mark)) >= 0:
        return time_at(records, place, time)
    _put(seen, number, record)
    return None


def record_of(mark: int, time: int) -> bytes:
    return (mark | time % ROUND).to_bytes(RECORD)


def add(seen: Seen, mark: int, time: int) -> None:
    """Remember an event that is not remembered yet."""
    if not seen:
        seen.append(b"")
    _put(seen, _bucket(mark, seen), record_of(mark, time))


def _put(seen: Seen, number: int, record: bytes) -> None:
    records = seen[number] = seen[number] + record
    if len(records) > BUCKET:
        seen[:] = _spread(records_of(seen), 2 * len(seen))


def move(seen: Seen, mark: int, time: int) -> None:
    """Another event time for an event that is remembered."""
    forget(seen, mark)
    add(seen, mark, time)


def forget(seen: Seen, mark: int) -> None:
    """Remove an event that is remembered."""
    number = _bucket(mark, seen)
    records, place = seen[number], place_of(seen[number], mark)
    seen[number] = records[:place] + records[place + RECORD :]


def times_of(seen: Seen, near: int) -> Iterator[int]:
    """Event times (ms) of all records."""
    return (time_at(records, place, near) for records in seen for place in range(0, len(records), RECORD))


def later_than(seen: Seen, horizon: int, now: int) -> tuple[Seen, int | None]:
    """The records of events after `horizon` (ms), and the first of their times; None: there are none."""
    left: list[bytes] = []
    first: int | None = None
    for record in records_of(seen):
        time = time_at(record, 0, now)
        if time > horizon:
            left.append(record)
            if first is None or time < first:
                first = time
    size = 1
    while len(left) * RECORD > size * BUCKET // 2:
        size *= 2
    if size == 1:
        return ([b"".join(left)] if left else []), first
    return _spread(left, size), first


def _spread(records: Iterable[bytes], size: int) -> Seen:
    buckets: list[list[bytes]] = [[] for _ in range(size)]
    for record in records:
        buckets[_bucket(int.from_bytes(record), buckets)].append(record)
    return [b"".join(bucket) for bucket in buckets]


def records_of(seen: Seen) -> Iterator[bytes]:
    return (records[place : place + RECORD] for records in seen for place in range(0, len(records), RECORD))


def _bucket(mark: int, buckets: list[bytes] | list[list[bytes]]) -> int:
    return (mark >> 36) & (len(buckets) - 1)


def place_of(records: bytes, mark: int) -> int:
    """Where the record with this hash begins; -1: there is none."""
    whole = mark.to_bytes(RECORD)
    head, rest = whole[:_WHOLE], whole[_WHOLE]
    at = records.find(head)
    while at >= 0 and (at % RECORD or (records[at + _WHOLE] ^ rest) & 0xF0):
        at = records.find(head, at + 1)
    return at


def time_at(records: bytes, place: int, near: int) -> int:
    """The event time (ms) of the record that begins there: of all that it could be, the one nearest to `near`."""
    low = int.from_bytes(records[place : place + RECORD]) % ROUND
    return near + (low - near + ROUND // 2) % ROUND - ROUND // 2
