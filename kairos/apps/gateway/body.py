"""Reading a body within limits: of one request, of its source's and of all that are being read, of time, and of what
it unpacks to."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

from starlette.requests import Request

from kairos.apps.gateway.problem import Problem

READ_SECONDS = 20.0
"""What a body may take at most, however large."""
PATIENCE_SECONDS = 5.0
LEAST_RATE = 20_000
"""Bytes a second: what has come earns as much more time."""
KEYLESS_SHARE = 8
"""An eighth of the memory is for bodies that have the key inside, and each sender gets a quarter of that."""
_GZIP = 31  # zlib's number for a gzip frame


class Room:
    """Bytes that all bodies together may hold, and those of one holder (a source, or an address): `each`."""

    def __init__(self, most: int, each: int) -> None:
        self.most, self.each = most, each
        self._held: Counter[str] = Counter()

    @property
    def used(self) -> int:
        return self._held.total()

    def take(self, holder: str, count: int) -> None:
        """Raises Problem."""
        if self._held[holder] + count > self.each:
            raise Problem(503, "busy", "too many requests of this sender are being read at this moment", retry_after=1)
        if self.used + count > self.most:
            raise Problem(503, "busy", "too many requests are being read at this moment", retry_after=1)
        self._held[holder] += count

    def give(self, holder: str, count: int) -> None:
        self._held[holder] -= count
        if not self._held[holder]:
            del self._held[holder]


def rooms(memory: int, max_body: int) -> tuple[Room, Room]:
    """For senders that are known before their body is read: none takes more than half, if a body fits into that. And
    for the others, who take nothing of it."""
    keyless = memory // KEYLESS_SHARE
    return Room(memory, max(memory // 2, min(max_body, memory))), Room(keyless, keyless // 4)


class Body:
    """`sent`: as it came, which is what a signature is about. `text`: unpacked, when somebody asks for it."""

    def __init__(self, room: Room, holder: str, limit: int) -> None:
        self._room = room
        self._holder = holder
        self._limit = limit
        self._held = 0
        self._packed = False
        self.sent = b""

    async def read(self, request: Request) -> None:
        """Raises Problem; starlette's ClientDisconnect where the sender has gone."""
        _check_charset(request)
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            raise Problem(415, "wrong_encoding", f"content-encoding '{encoding[:40]}' is not taken; gzip is")
        self._check(int(length) if (length := request.headers.get("content-length", "0")).isdecimal() else 0)
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(PATIENCE_SECONDS) as patience:
                start = asyncio.get_running_loop().time()
                async for chunk in request.stream():
                    self._hold(len(chunk))
                    chunks.append(chunk)
                    patience.reschedule(start + min(READ_SECONDS, PATIENCE_SECONDS + self._held / LEAST_RATE))
        except TimeoutError:
            raise Problem(
                408, "slow", f"the body came too slowly: {LEAST_RATE // 1000} kB a second are needed"
            ) from None
        self.sent = b"".join(chunks)
        self._packed = encoding == "gzip"

    @cached_property
    def text(self) -> bytes:
        """Raises Problem."""
        return self._unpacked() if self._packed else self.sent

    def release(self) -> None:
        self._room.give(self._holder, self._held)

    def _hold(self, count: int) -> None:
        self._check(self._held + count)
        self._room.take(self._holder, count)
        self._held += count

    def _check(self, count: int) -> None:
        if count > self._limit:
            raise Problem(413, "too_large", f"a body has at most {self._limit} bytes here; send several")

    def _unpacked(self) -> bytes:
        """All members: a gzip file may have several, one after the other."""
        texts, packed = [], self.sent
        while packed:
            inflate = zlib.decompressobj(_GZIP)
            try:
                text = inflate.decompress(packed, self._limit - self._held + 1)
            except zlib.error:
                raise Problem(400, "bad_gzip", "the body is not the gzip that content-encoding says") from None
            self._hold(len(text))
            if not inflate.eof:
                raise Problem(400, "bad_gzip", "the gzip of the body breaks off")
            texts.append(text)
            packed = inflate.unused_data.lstrip(b"\0")  # which pads it, as gzip allows
        return b"".join(texts)


@asynccontextmanager
async def received(request: Request, room: Room, holder: str, limit: int) -> AsyncIterator[Body]:
    body = Body(room, holder, limit)
    try:
        await body.read(request)
        yield body
    finally:
        body.release()


def _check_charset(request: Request) -> None:
    for parameter in request.headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise Problem(415, "wrong_charset", f"charset '{charset[:40]}' is not taken; JSON is UTF-8")
