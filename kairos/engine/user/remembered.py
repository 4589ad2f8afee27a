"""The events that a state remembers against repetitions: the newest in buckets (seen.py), those before in blocks.

A block has parts by hash, of which an event reads one, and in the job they lie beside the value (apart.py); it goes as
a whole once its newest event has lapsed. So an event costs, and a sweep costs, what the newest few thousand cost.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from kairos.engine.user import seen
from kairos.engine.user.apart import PARTS, new_block, part_of, put_parts
from kairos.engine.user.seen import RECORD, add, later_than, move, place_of, record_of, records_of, time_at, times_of
from kairos.engine.user.state import SeenBlock, UserState

NEWEST = 16
"""Buckets that are no block yet: about 3,000 events."""
FULL = 50_000
"""Events of a block, from which on another one is begun."""
MOST = 4
"""Blocks of one user: 200,000 events, 2 MB. Whoever sends more within the horizon has the older half forgotten."""


class _Found(NamedTuple):
    """`place`: where the record begins in those of this part of the block."""

    block: SeenBlock
    part: int
    records: bytes
    place: int


def look(state: UserState, mark: int, time: int) -> int | None:
    """The event time (ms) remembered of this event, of all that it could be the one nearest to `time`; None: it is not
    remembered, but is from here on."""
    if state.seen_blocks and (found := _find(state.seen_blocks, mark)) is not None:
        return time_at(found.records, found.place, time)
    known = seen.look(state.seen, mark, time)
    if len(state.seen) > NEWEST:
        _close(state, time)
    return known


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
    block, part, records, place = found
    put_parts(block, {part: records[:place] + record_of(mark, time) + records[place + RECORD :]})
    block.last = max(block.last, time)


def forget_lapsed(state: UserState, horizon: int, now: int) -> int | None:
    """Forgets events up to `horizon` (ms), those of a block together. Gives the first time that is left, of a block
    its newest; None: nothing is remembered any more."""
    state.seen, first = later_than(state.seen, horizon, now)
    state.seen_blocks = [block for block in state.seen_blocks if block.last > horizon]
    for block in state.seen_blocks:
        first = block.last if first is None else min(first, block.last)
    return first


def _find(blocks: list[SeenBlock], mark: int) -> _Found | None:
    part = _part_of(mark)
    for block in blocks:
        records = part_of(block, part)
        place = place_of(records, mark)
        if place >= 0:
            return _Found(block, part, records, place)
    return None


def _part_of(mark: int) -> int:
    return (mark >> 36) % PARTS


def _close(state: UserState, now: int) -> None:
    """The newest become part of the last block, or of one more."""
    blocks = state.seen_blocks
    if not blocks or blocks[-1].count >= FULL:
        if len(blocks) >= MOST:
            del blocks[: MOST // 2]
        blocks.append(new_block())
    block = blocks[-1]
    parts: defaultdict[int, list[bytes]] = defaultdict(list)
    for record in records_of(state.seen):
        parts[_part_of(int.from_bytes(record))].append(record)
    put_parts(block, {part: part_of(block, part) + b"".join(records) for part, records in parts.items()})
    block.last = max(block.last, *times_of(state.seen, now))
    block.count += sum(map(len, state.seen)) // RECORD
    state.seen = []
