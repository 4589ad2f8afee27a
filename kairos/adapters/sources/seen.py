"""Signed requests that were seen already, so that one who overheard a request cannot send it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import redis.asyncio as redis
from redis.exceptions import RedisError

from kairos.adapters.profiles.identity import TIMEOUT_SECONDS

MOST = 200_000
"""How many one process remembers by itself; beyond that it takes no signed requests until some are forgotten."""


class SeenAwayError(Exception):
    """It cannot be said whether it was seen."""


class Seen(Protocol):
    """Both raise SeenAwayError."""

    async def claim(self, token: str, keep_ms: int) -> bool:
        """False: it was seen within its time. True: it is remembered from now on."""
        ...

    async def release(self, token: str) -> None:
        """It came to nothing: the same may come again."""
        ...


class MemorySeen:
    """Of one process, for as long as that lives. `clock`: epoch ms."""

    def __init__(self, clock: Callable[[], int], most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._until: dict[str, int] = {}

    async def claim(self, token: str, keep_ms: int) -> bool:
        now = self._clock()
        if self._until.get(token, 0) > now:
            return False
        if len(self._until) >= self._most:
            self._until = {known: until for known, until in self._until.items() if until > now}
        if len(self._until) >= self._most:
            raise SeenAwayError("too many signed requests within a few minutes")
        self._until[token] = now + keep_ms
        return True

    async def release(self, token: str) -> None:
        self._until.pop(token, None)


class RedisSeen:
    """Of all processes that share the Redis."""

    def __init__(self, url: str) -> None:
        self._redis: redis.Redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )

    async def claim(self, token: str, keep_ms: int) -> bool:
        try:
            return bool(await self._redis.set(f"seen:{token}", b"", px=keep_ms, nx=True))
        except (RedisError, OSError) as error:
            raise SeenAwayError(f"Redis does not answer: {error}") from None

    async def release(self, token: str) -> None:
        try:
            await self._redis.delete(f"seen:{token}")
        except (RedisError, OSError) as error:
            raise SeenAwayError(f"Redis does not answer: {error}") from None

    async def close(self) -> None:
        await self._redis.aclose()
