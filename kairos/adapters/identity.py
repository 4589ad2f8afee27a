"""Who a device, an openid or a phone belongs to, in Redis; and the events that wait until somebody says so.

`identity:<kind>:<value>` holds the user id; whoever else knows bindings may write it too. `waiting:<kind>:<value>` is
a list of the newest 1,000 drafts of nobody, for 30 days after the last one. Binding moves them to `merging:<user>`,
where they stay until they are known to be published: a crash in between publishes some twice, and loses none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Sequence
from typing import Any, Protocol, cast

import redis.asyncio as redis
from redis.asyncio.connection import BlockingConnectionPool
from redis.exceptions import RedisError

from kairos.engine.normalise import Claim

MAX_WAITING = 1_000
WAITING_SECONDS = 30 * 86_400
TIMEOUT_SECONDS = 2.0
CONNECTIONS = 20

Claims = Sequence[Claim]


class IdentityAwayError(Exception):
    """Nobody answers, so nobody knows whose an event is."""


class Identity(Protocol):
    """All methods raise IdentityAwayError. `claims` are in the order in which they count."""

    async def users(self, claims: Collection[Claim]) -> dict[Claim, str]:
        """Of the claims that lead to somebody."""
        ...

    async def waiting(self, claims: Claims, user_id: str) -> list[bytes]:
        """What `bind` would give at this moment; nothing changes."""
        ...

    async def wait(self, many: Sequence[tuple[Claims, bytes]]) -> list[str | None]:
        """Keeps each draft until one of its claims is bound; the user, where one is by now: then it is not kept."""
        ...

    async def bind(self, claims: Claims, user_id: str) -> list[bytes]:
        """From now on the claims lead to this user. The drafts that waited for them, until `merged` has them."""
        ...

    async def merged(self, user_id: str, drafts: Sequence[bytes]) -> None:
        """They are published, each as often as it is there."""
        ...


# Looking and keeping are one step: a binding in between would find nothing, and what is kept then would be forgotten.
_WAIT = """
for _, key in ipairs(KEYS) do
  local user = redis.call('GET', 'identity:' .. key)
  if user then return user end
end
local list = 'waiting:' .. KEYS[1]
redis.call('RPUSH', list, ARGV[1])
redis.call('LTRIM', list, -tonumber(ARGV[2]), -1)
redis.call('EXPIRE', list, ARGV[3])
return false
"""
_BIND = """
local merging = 'merging:' .. ARGV[1]
for _, key in ipairs(KEYS) do
  redis.call('SET', 'identity:' .. key, ARGV[1])
  for _, draft in ipairs(redis.call('LRANGE', 'waiting:' .. key, 0, -1)) do
    redis.call('RPUSH', merging, draft)
  end
  redis.call('DEL', 'waiting:' .. key)
end
redis.call('EXPIRE', merging, ARGV[2])
return redis.call('LRANGE', merging, 0, -1)
"""


class RedisIdentity:
    """One pool of connections; for one event loop."""

    def __init__(self, url: str) -> None:
        limits = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
        pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=TIMEOUT_SECONDS, **limits)
        self._redis: redis.Redis = redis.Redis(connection_pool=pool)
        self._wait = self._redis.register_script(_WAIT)
        self._bind = self._redis.register_script(_BIND)

    async def users(self, claims: Collection[Claim]) -> dict[Claim, str]:
        if not claims:
            return {}
        users = await _asked(self._redis.mget([f"identity:{_key(claim)}" for claim in claims]))
        return {claim: _text(user) for claim, user in zip(claims, users, strict=True) if user is not None}

    async def waiting(self, claims: Claims, user_id: str) -> list[bytes]:
        pipeline = self._redis.pipeline(transaction=False)
        for name in (f"merging:{user_id}", *(f"waiting:{_key(claim)}" for claim in claims)):
            pipeline.lrange(name, 0, -1)
        return [draft for drafts in await _asked(pipeline.execute()) for draft in drafts]

    async def wait(self, many: Sequence[tuple[Claims, bytes]]) -> list[str | None]:
        if not many:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for claims, draft in many:
            await self._wait(keys=_keys(claims), args=[draft, MAX_WAITING, WAITING_SECONDS], client=pipeline)
        return [None if user is None else _text(user) for user in await _asked(pipeline.execute())]

    async def bind(self, claims: Claims, user_id: str) -> list[bytes]:
        return cast(list[bytes], await _asked(self._bind(keys=_keys(claims), args=[user_id, WAITING_SECONDS])))

    async def merged(self, user_id: str, drafts: Sequence[bytes]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for draft in drafts:
            pipeline.lrem(f"merging:{user_id}", 0, cast(str, draft))
        if drafts:
            await _asked(pipeline.execute())

    async def close(self) -> None:
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()


async def _asked(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except (RedisError, OSError) as error:
        raise IdentityAwayError(f"Redis does not answer: {error}") from None


def _keys(claims: Claims) -> list[str]:
    return [_key(claim) for claim in claims]


def _key(claim: Claim) -> str:
    return f"{claim.kind}:{claim.value}"


def _text(user: bytes) -> str:
    return user.decode("utf-8", "replace")
