"""Blocks of remembered events (remembered.py) beside their user's value, which is read and written with each event.

Whoever keeps states lends them a shelf for the parts of blocks: an event then reads those parts alone in which it could
stand. Without a shelf blocks are in the value.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from struct import Struct
from typing import Protocol

from kairos.engine.user.state import SeenBlock

PARTS = 256
"""Of a block, by hash."""
_TABLE = Struct(f">{PARTS + 1}I")
_ENTRY = Struct(">II")
_NUMBER = Struct(">I")
_APART = "apart"
"""Name of an attribute of `SeenBlock`: its `Apart`, where it is not in the value."""


class Shelf(Protocol):
    """What is kept of the current user beside the value, by name."""

    def get(self, name: str, /) -> bytes | None: ...
    def put(self, name: str, part: bytes, /) -> None: ...
    def remove(self, name: str, /) -> None: ...


class Apart:
    """The parts of one block on the shelf. What has changed is put there once the state is saved."""

    def __init__(self, shelf: Shelf, number: int) -> None:
        self.number = number
        self._shelf = shelf
        self.changed: dict[int, bytes] = {}

    def __getitem__(self, part: int) -> bytes:
        changed = self.changed.get(part)
        return changed if changed is not None else self._shelf.get(_name(self.number, part)) or b""

    def __setitem__(self, part: int, records: bytes) -> None:
        self.changed[part] = records

    def save(self) -> None:
        for part, records in self.changed.items():
            self._shelf.put(_name(self.number, part), records)
        self.changed.clear()

    def remove(self) -> None:
        for part in range(PARTS):
            self._shelf.remove(_name(self.number, part))


def _name(number: int, part: int) -> str:
    return f"{number}/{part}"


# ------------------------------------------------------------------------------------------------ parts of one block
def new_block() -> SeenBlock:
    return SeenBlock(0, 0, _joined([b""] * PARTS))


def part_of(block: SeenBlock, part: int) -> bytes:
    """Its records."""
    if (apart := _apart(block)) is not None:
        return apart[part]
    start, end = _ENTRY.unpack_from(block.records, part * 4)
    return bytes(block.records[start:end])


def put_parts(block: SeenBlock, parts: dict[int, bytes]) -> None:
    """Other records for these parts."""
    if (apart := _apart(block)) is not None:
        for part, records in parts.items():
            apart[part] = records
    else:
        block.records = _joined(parts.get(part, records) for part, records in enumerate(_parts(block)))


def _apart(block: SeenBlock) -> Apart | None:
    apart: Apart | None = block.__dict__.get(_APART)
    return apart


def _parts(block: SeenBlock) -> list[bytes]:
    return [bytes(block.records[start:end]) for start, end in pairwise(_TABLE.unpack_from(block.records))]


def _joined(parts: Iterable[bytes]) -> memoryview:
    parts = list(parts)
    table = accumulate(map(len, parts), initial=_TABLE.size)
    return memoryview(_TABLE.pack(*table) + b"".join(parts))


# ------------------------------------------------------------------------------------- between a value and its shelf
def lend(blocks: list[SeenBlock], shelf: Shelf) -> list[Apart]:
    """For blocks that have just been read. Returns those that lie on the shelf, for `put_by`."""
    lent = []
    for block in blocks:
        if len(block.records) == _NUMBER.size:
            apart = block.__dict__[_APART] = Apart(shelf, *_NUMBER.unpack(block.records))
            lent.append(apart)
    return lent


def move_out(blocks: list[SeenBlock], shelf: Shelf, lent: list[Apart]) -> None:
    """Before a state is written: its blocks are on the shelf from here on, once `put_by` is called."""
    for block in blocks:
        if _APART not in block.__dict__:
            known = [*lent, *filter(None, map(_apart, blocks))]
            moved = Apart(shelf, 1 + max((apart.number for apart in known), default=0))
            for part, records in enumerate(_parts(block)):
                if records:
                    moved[part] = records
            block.records = memoryview(_NUMBER.pack(moved.number))
            block.__dict__[_APART] = moved


def put_by(blocks: list[SeenBlock], lent: list[Apart]) -> None:
    """Puts on the shelf what has changed, and removes what is of blocks that are gone. `lent`: when they were read."""
    kept = [block.__dict__[_APART] for block in blocks]
    for apart in kept:
        if apart.changed:
            apart.save()
    for apart in lent:
        if apart not in kept:
            apart.remove()
