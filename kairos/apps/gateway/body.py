"""Reading a body within limits: of one request, of all that are being read, of time, and of what it unpacks to."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from kairos.apps.gateway.problem import Problem

READ_SECONDS = 20.0
_GZIP = 31  # zlib's number for a gzip frame


@dataclass
class Room:
    """Bytes that all bodies together may hold."""

    most: int
    used: int = 0

    def take(self, count: int) -> None:
        if self.used + count > self.most:
            raise Problem(503, "busy", "too many requests are being read at this moment", retry_after=1)
        self.used += count

    def give(self, count: int) -> None:
        self.used -= count


class Body:
    """`sent`: as it came, which is what a signature is about. `text`: unpacked."""

    def __init__(self, room: Room, limit: int) -> None:
        self._room = room
        self._limit = limit
        self._held = 0
        self.sent = b""
        self.text = b""

    async def read(self, request: Request) -> None:
        """Raises Problem; starlette's ClientDisconnect where the sender has gone."""
        _check_charset(request)
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            raise Problem(415, "wrong_encoding", f"content-encoding '{encoding[:40]}' is not taken; gzip is")
        self._check(int(length) if (length := request.headers.get("content-length", "0")).isdecimal() else 0)
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(READ_SECONDS):
                async for chunk in request.stream():
                    self._hold(len(chunk))
                    chunks.append(chunk)
        except TimeoutError:
            raise Problem(408, "slow", f"the body did not arrive within {READ_SECONDS:.0f} s") from None
        self.sent = b"".join(chunks)
        self.text = self._unpacked() if encoding == "gzip" else self.sent

    def release(self) -> None:
        self._room.give(self._held)

    def _hold(self, count: int) -> None:
        self._check(self._held + count)
        self._room.take(count)
        self._held += count

    def _check(self, count: int) -> None:
        if count > self._limit:
            raise Problem(413, "too_large", f"a body has at most {self._limit} bytes here; send several")

    def _unpacked(self) -> bytes:
        room = self._limit - len(self.sent)
        inflate = zlib.decompressobj(_GZIP)
        try:
            text = inflate.decompress(self.sent, room + 1)
        except zlib.error:
            raise Problem(400, "bad_gzip", "the body is not the gzip that content-encoding says") from None
        self._hold(len(text))
        if not inflate.eof:
            raise Problem(400, "bad_gzip", "the gzip of the body breaks off")
        return text


@asynccontextmanager
async def received(request: Request, room: Room, limit: int) -> AsyncIterator[Body]:
    body = Body(room, limit)
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
