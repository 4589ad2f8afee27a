"""Records that are taken and records that are written, wherever they lie; and what may be acknowledged when."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import msgspec


class Parcel(msgspec.Struct, frozen=True):
    """A record as it lies in the mailbox. `timestamp`: epoch ms."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes
    timestamp: int

    @property
    def origin(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


class Mailbox(Protocol):
    """Where records come from. `take` waits for some; an empty list: there will be no more.

    It gives only so many that are not `done` yet. What is never done comes again, to this worker or another.
    """

    async def take(self) -> list[Parcel]: ...

    def done(self, parcel: Parcel) -> None: ...


class Unfinished:
    """Of one partition: everything below the lowest offset that is not done may be committed."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._open: set[int] = set()
        self._next: int | None = None
        self._committed: int | None = None

    def __len__(self) -> int:
        return len(self._open)

    def began(self, offset: int) -> None:
        """Offsets grow; some may be missing."""
        self._order.append(offset)
        self._open.add(offset)
        self._next = offset + 1

    def done(self, offset: int) -> None:
        """Notes that an offset is done; one that never began here, or was done before, is ignored."""
        self._open.discard(offset)

    def to_commit(self) -> int | None:
        """The offset to go on from after a restart, where it has moved since `committed`."""
        while self._order and self._order[0] not in self._open:
            self._order.popleft()
        lowest = self._order[0] if self._order else self._next
        return None if lowest == self._committed else lowest

    def committed(self, offset: int) -> None:
        self._committed = offset
