"""The events that a state remembers against repetitions: the newest in buckets (seen.py), those before in blocks.

A block is one piece of bytes that is read and written without being taken apart, and found in by a table; it goes as a
whole once its newest event has lapsed. So an event costs, and a sweep costs, what the newest few thousand cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from struct import Struct

from kairos.engine.user.seen import (
    RECORD,
    add,
    later_than,
    move,
    place_of,
    record_of,
    records_of,
    time_at,
    time_of,
    times_of,
)
from kairos.engine.user.state import SeenBlock, UserState

NEWEST = 16
"""Buckets that are no block yet: about 3,000 events."""
FULL = 25_000
"""Events of a block, from which on another one is begun."""
MOST = 8
"""Blocks of one user: 200,000 events, 2 MB. Whoever sends more within the horizon has the older half forgotten."""

_PARTS = 256
_TABLE = Struct(f">{_PARTS + 1}I")
_ENTRY = Struct(">II")


def time_known(state: UserState, mark: int, near: int) -> int | None:
    """The event time (ms) remembered of this event: of all that it could be, the one nearest to `near`."""
    time = time_of(state.seen, mark, near)
    if time is None and state.seen_blocks and (found := _find(state.seen_blocks, mark)) is not None:
        block, place = found
        return time_at(bytes(block.records[place : place + RECORD]), 0, near)
    return time


def remember(state: UserState, mark: int, time: int) -> None:
    """Remembers an event that is not remembered yet."""
    add(state.seen, mark, time)
    if len(state.seen) > NEWEST:
        _close(state, time)


def correct(state: UserState, mark: int, time: int) -> None:
    """Another event time for an event that is remembered."""
    found = _find(state.seen_blocks, mark)
    if found is None:
        move(state.seen, mark, time)
        return
    block, place = found
    record = record_of(mark, time)
    block.records = memoryview(b"".join((block.records[:place], record, block.records[place + RECORD :])))
    block.last = max(block.last, time)


def forget_lapsed(state: UserState, horizon: int, now: int) -> None:
    """Forgets events up to `horizon` (ms), those of a block together."""
    state.seen = later_than(state.seen, horizon, now)
    state.seen_blocks = [block for block in state.seen_blocks if block.last > horizon]


def times_remembered(state: UserState, near: int) -> Iterator[int]:
    """The event times (ms) that are remembered; of a block the newest."""
    yield from times_of(state.seen, near)
    yield from (block.last for block in state.seen_blocks)


def _find(blocks: list[SeenBlock], mark: int) -> tuple[SeenBlock, int] | None:
    part = (mark >> 36) % _PARTS
    for block in blocks:
        start, end = _ENTRY.unpack_from(block.records, part * 4)
        place = place_of(bytes(block.records[start:end]), mark)
        if place >= 0:
            return block, start + place
    return None


def _close(state: UserState, now: int) -> None:
    """The newest become part of the last block, or of one more."""
    blocks = state.seen_blocks
    if not blocks or blocks[-1].count >= FULL:
        if len(blocks) >= MOST:
            del blocks[: MOST // 2]
        blocks.append(SeenBlock(0, 0, _joined([b""] * _PARTS)))
    block = blocks[-1]
    parts = [[old] for old in _parts(block)]
    for record in records_of(state.seen):
        parts[(record[4] << 4 | record[5] >> 4) % _PARTS].append(record)
    block.last = max(block.last, *times_of(state.seen, now))
    block.count += sum(map(len, state.seen)) // RECORD
    block.records = _joined([b"".join(part) for part in parts])
    state.seen = []


def _parts(block: SeenBlock) -> Iterator[bytes]:
    table = _TABLE.unpack_from(block.records)
    return (bytes(block.records[start:end]) for start, end in pairwise(table))


def _joined(parts: list[bytes]) -> memoryview:
    table = accumulate(map(len, parts), initial=_TABLE.size)
    return memoryview(_TABLE.pack(*table) + b"".join(parts))
