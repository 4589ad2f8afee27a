"""Codes in Redis. A pool is a few keys with one hash tag, so that a script sees all of them:

`coupon:{<pool>}:known` every code that was ever put in (set), `:free` those that may be taken (list), `:taken` key ->
code (hash), `:users` user -> how many she has (hash), `:held:<key>` the messages that hold it (set), `:said:<key>
<message>` what was answered to one that holds none (text, for a week; empty: none was to be had).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from kairos.adapters.coupons.port import ANSWERED_FOR, Contents, Counts, CouponStoreError
from kairos.adapters.crowds.redis import batches
from kairos.adapters.profiles.redis import connect, without_password
from kairos.engine.coupon.pools import Claim, Return

_TAKE = """
local said = redis.call('GET', KEYS[5])
if said then return said ~= '' and said end
local code = redis.call('HGET', KEYS[2], ARGV[1])
if not code then
  local most, had = tonumber(ARGV[4]), tonumber(redis.call('HGET', KEYS[3], ARGV[3]) or '0')
  if most == 0 or had < most then code = redis.call('LPOP', KEYS[1]) end
  if not code then
    redis.call('SET', KEYS[5], '', 'EX', ARGV[5])
    return false
  end
  redis.call('HSET', KEYS[2], ARGV[1], code)
  redis.call('HINCRBY', KEYS[3], ARGV[3], 1)
end
redis.call('SADD', KEYS[4], ARGV[2])
return code
"""
_GIVE_BACK = """
if redis.call('SREM', KEYS[4], ARGV[2]) == 0 then return 0 end
local code = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[5], code, 'EX', ARGV[4])
if redis.call('SCARD', KEYS[4]) > 0 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('HINCRBY', KEYS[3], ARGV[3], -1) <= 0 then redis.call('HDEL', KEYS[3], ARGV[3]) end
redis.call('RPUSH', KEYS[1], code)
return 1
"""
_FILL = """
local new = 0
for _, code in ipairs(ARGV) do
  if redis.call('SADD', KEYS[2], code) == 1 then
    redis.call('RPUSH', KEYS[1], code)
    new = new + 1
  end
end
return new
"""


class RedisCoupons:
    """Nothing is connected yet. One thread."""

    def __init__(self, url: str) -> None:
        self._place = without_password(url)
        self._client = connect(url)
        self._take: Callable[..., Any] = self._client.register_script(_TAKE)
        self._give_back: Callable[..., Any] = self._client.register_script(_GIVE_BACK)
        self._fill: Callable[..., Any] = self._client.register_script(_FILL)

    def take(self, claim: Claim) -> str | None:
        words = [claim.key, claim.holder, claim.user_id, claim.per_user, ANSWERED_FOR]
        with self._said():
            code = self._take(keys=_keys(claim), args=words)
        return None if code is None else code.decode()

    def give_back(self, back: Return) -> None:
        with self._said():
            self._give_back(keys=_keys(back), args=[back.key, back.holder, back.user_id, ANSWERED_FOR])

    def fill(self, pool: str, codes: Iterable[str]) -> int:
        with self._said():
            keys = [_key(pool, "free"), _key(pool, "known")]
            return sum(int(self._fill(keys=keys, args=some)) for some in batches(codes))

    def counts(self, pool: str) -> Counts:
        with self._said():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.scard(_key(pool, "known"))
            pipeline.llen(_key(pool, "free"))
            pipeline.hlen(_key(pool, "taken"))
            return Counts(*pipeline.execute())

    def contents(self, pool: str) -> Contents:
        with self._said():
            pipeline = self._client.pipeline(transaction=True)
            pipeline.scard(_key(pool, "known"))
            pipeline.lrange(_key(pool, "free"), 0, -1)
            pipeline.hgetall(_key(pool, "taken"))
            known, free, taken = pipeline.execute()
        return Contents(
            known, [code.decode() for code in free], [(code.decode(), key.decode()) for key, code in taken.items()]
        )

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise CouponStoreError(f"the coupons at {self._place}: {error}") from None


def _key(pool: str, what: str) -> str:
    return f"coupon:{{{pool}}}:{what}"


def _keys(asked: Claim | Return) -> list[str]:
    said = f"said:{asked.key} {asked.holder}"
    return [_key(asked.pool, what) for what in ("free", "taken", "users", f"held:{asked.key}", said)]
