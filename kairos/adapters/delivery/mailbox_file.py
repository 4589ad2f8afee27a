"""Records of files: a bounded mailbox, and posts into files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.post import Post


class FileMailbox:
    """Gives what it is made with, in order, so that at most `room` parcels are out at a time."""

    def __init__(self, parcels: Iterable[Parcel], room: int) -> None:
        self._parcels = iter(parcels)
        self._room = room
        self._out = 0
        self._space = asyncio.Event()

    async def take(self) -> list[Parcel]:
        while self._out >= self._room:
            self._space.clear()
            await self._space.wait()
        taken = [parcel for _, parcel in zip(range(self._room - self._out), self._parcels, strict=False)]
        self._out += len(taken)
        return taken

    def done(self, parcel: Parcel) -> None:
        self._out -= 1
        self._space.set()


class FilePosts:
    """One file `<topic>.jsonl` a topic, appended to; values are one line each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, posts: Sequence[Post]) -> list[None]:
        """Raises OSError."""
        lines: dict[str, list[bytes]] = {}
        for post in posts:
            lines.setdefault(post.topic, []).append(post.value)
        for topic, values in lines.items():
            with (self._folder / f"{topic}.jsonl").open("ab") as file:
                file.write(b"\n".join(values) + b"\n")
        return [None] * len(posts)
