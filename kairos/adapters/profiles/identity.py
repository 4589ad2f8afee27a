"""Who a device, an openid or a phone belongs to, in Redis; and the events that wait until somebody says so.

`identity:<kind>:<value>` holds the user id; whoever else knows bindings may write it too. `waiting:<kind>:<value>` is
a list of the newest drafts of nobody, 1,000 and 16 MB at most, for 30 days after the last one;
`waiting-bytes:<kind>:<value>` is their size. Binding moves them to `merging:<user>`, where they stay until they are
known to be published: a crash in between publishes some twice, and loses none. They are read in pieces, however many.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from typing import Any, NamedTuple, Protocol, cast

import redis.asyncio as redis
from redis.asyncio.connection import BlockingConnectionPool
from redis.exceptions import RedisError

from kairos.engine.source.normalise import Claim
from kairos.errors import KairosError

MAX_WAITING = 1_000
WAITING_BYTES = 16_000_000
"""Of the drafts that wait under one name."""
PIECE_BYTES = 4_000_000
"""What is read at once ends with the draft that reaches this."""
WAITING_SECONDS = 30 * 86_400
TIMEOUT_SECONDS = 2.0
CONNECTIONS = 20

Claims = Sequence[Claim]


class IdentityAwayError(KairosError):
    """Nobody answers, so nobody knows whose an event is."""


class Waited(NamedTuple):
    """`user`: one of the claims is bound, and nothing was kept. `dropped`: drafts for which there was no room any more,
    the oldest under this name."""

    user: str | None
    dropped: list[bytes]


class Identity(Protocol):
    """All methods raise IdentityAwayError. `claims` are in the order in which they count."""

    async def users(self, claims: Collection[Claim]) -> dict[Claim, str]:
        """The users that these claims lead to."""
        ...

    def waiting(self, claims: Claims, user_id: str) -> AsyncIterator[list[bytes]]:
        """What `merging` would give after `bind` at this moment, in pieces; nothing changes."""
        ...

    async def wait(self, many: Sequence[tuple[Claims, bytes]]) -> list[Waited]:
        """Keeps each draft until one of its claims is bound."""
        ...

    async def bind(self, claims: Claims, user_id: str) -> None:
        """Makes the claims lead to this user; drafts that waited for them move to `merging`."""
        ...

    async def merging(self, user_id: str) -> list[bytes]:
        """The first piece of the user's drafts that are not yet `merged`; empty: there is nothing more."""
        ...

    async def merged(self, user_id: str, drafts: Sequence[bytes]) -> None:
        """Removes drafts that are published, each as often as it stands there."""
        ...


# Looking and keeping are one step: a binding in between would find nothing, and what is kept then would be forgotten.
_WAIT = """
for _, key in ipairs(KEYS) do
  local user = redis.call('GET', 'identity:' .. key)
  if user then return user end
end
local list, sum = 'waiting:' .. KEYS[1], 'waiting-bytes:' .. KEYS[1]
local size = tonumber(redis.call('GET', sum))
if not size then
  size = 0
  for at = 0, redis.call('LLEN', list) - 1 do size = size + #redis.call('LINDEX', list, at) end
end
local count = redis.call('RPUSH', list, ARGV[1])
size = size + #ARGV[1]
local dropped = {}
while count > 1 and (count > tonumber(ARGV[2]) or size > tonumber(ARGV[3])) do
  local oldest = redis.call('LPOP', list)
  dropped[#dropped + 1] = oldest
  count, size = count - 1, size - #oldest
end
redis.call('EXPIRE', list, ARGV[4])
redis.call('SET', sum, size, 'EX', ARGV[4])
return dropped
"""
_BIND = """
local merging = 'merging:' .. ARGV[1]
for _, key in ipairs(KEYS) do
  redis.call('SET', 'identity:' .. key, ARGV[1])
  while redis.call('LMOVE', 'waiting:' .. key, merging, 'LEFT', 'RIGHT') do end
  redis.call('DEL', 'waiting-bytes:' .. key)
end
redis.call('EXPIRE', merging, ARGV[2])
"""
_PIECE = """
local piece, size, at = {}, 0, tonumber(ARGV[1])
while size < tonumber(ARGV[2]) do
  local draft = redis.call('LINDEX', KEYS[1], at)
  if not draft then break end
  piece[#piece + 1] = draft
  size, at = size + #draft, at + 1
end
return piece
"""


class RedisIdentity:
    """One pool of connections; for one event loop."""

    def __init__(self, url: str) -> None:
        limits = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
        pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=TIMEOUT_SECONDS, **limits)
        self._redis: redis.Redis = redis.Redis(connection_pool=pool)
        self._wait = self._redis.register_script(_WAIT)
        self._bind = self._redis.register_script(_BIND)
        self._piece = self._redis.register_script(_PIECE)

    async def users(self, claims: Collection[Claim]) -> dict[Claim, str]:
        if not claims:
            return {}
        users = await _asked(self._redis.mget([f"identity:{_key(claim)}" for claim in claims]))
        return {claim: _text(user) for claim, user in zip(claims, users, strict=True) if user is not None}

    async def waiting(self, claims: Claims, user_id: str) -> AsyncIterator[list[bytes]]:
        for name in (f"merging:{user_id}", *(f"waiting:{_key(claim)}" for claim in claims)):
            at = 0
            while piece := await self._read(name, at):
                yield piece
                at += len(piece)

    async def wait(self, many: Sequence[tuple[Claims, bytes]]) -> list[Waited]:
        if not many:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for claims, draft in many:
            limits = [MAX_WAITING, WAITING_BYTES, WAITING_SECONDS]
            await self._wait(keys=_keys(claims), args=[draft, *limits], client=pipeline)
        answers = await _asked(pipeline.execute())
        return [Waited(None, found) if isinstance(found, list) else Waited(_text(found), []) for found in answers]

    async def bind(self, claims: Claims, user_id: str) -> None:
        await _asked(self._bind(keys=_keys(claims), args=[user_id, WAITING_SECONDS]))

    async def merging(self, user_id: str) -> list[bytes]:
        return await self._read(f"merging:{user_id}", 0)

    async def _read(self, name: str, at: int) -> list[bytes]:
        return cast(list[bytes], await _asked(self._piece(keys=[name], args=[at, PIECE_BYTES])))

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
