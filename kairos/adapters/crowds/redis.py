"""Snapshots in Redis, beside the profiles: `members:<user>` is a hash from crowd to interval, `crowds:live` one from
crowd to the live number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar, cast

import redis

from kairos.adapters.crowds.port import CrowdStoreError, Live, Span
from kairos.adapters.crowds.text import live_of, live_text, span_of, span_text

MEMBERS = "members:"
LIVE = "crowds:live"
BATCH = 2_000
_T = TypeVar("_T")

_UNSTAGE = """
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return end
local from, to = string.match(text, '^(%d+):?(%d*)$')
if from == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1])
elseif to == ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], from) end
"""


class RedisCrowds:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def live(self) -> Mapping[str, Live]:
        found = self._said(lambda: self._client.hgetall(LIVE))
        return {name.decode(): live_of(text.decode()) for name, text in cast(dict[bytes, bytes], found).items()}

    def stage(self, crowd: str, spans: Iterable[Span]) -> None:
        for batch in batches(spans):
            pipeline = self._client.pipeline(transaction=False)
            for span in batch:
                # hset() itself takes twice as long, and a first snapshot is of a million users
                pipeline.execute_command("HSET", MEMBERS + span.user_id, crowd, span_text(span))  # type: ignore[no-untyped-call]
            self._said(pipeline.execute)

    def unstage(self, crowd: str, n: int, users: Iterable[str]) -> None:
        for batch in batches(users):
            pipeline = self._client.pipeline(transaction=False)
            for user in batch:
                pipeline.eval(_UNSTAGE, 1, MEMBERS + user, crowd, str(n))
            self._said(pipeline.execute)

    def flip(self, crowd: str, live: Live) -> None:
        self._said(lambda: self._client.hset(LIVE, crowd, live_text(live)))

    def spans(self, crowd: str) -> Iterator[Span]:
        for batch in batches(self._users()):
            pipeline = self._client.pipeline(transaction=False)
            for user in batch:
                pipeline.hget(MEMBERS + user, crowd)
            for user, text in zip(batch, self._said(pipeline.execute), strict=True):
                if text is not None:
                    yield span_of(user, text.decode())

    def close(self) -> None:
        self._client.close()

    def _users(self) -> Iterator[str]:
        keys = self._client.scan_iter(MEMBERS + "*", count=BATCH)
        while (key := self._said(lambda: next(keys, None))) is not None:
            yield key.decode("utf-8", "replace").removeprefix(MEMBERS)

    def _said(self, ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except redis.RedisError as error:
            raise CrowdStoreError(f"Redis does not take snapshots of crowds: {error}") from None


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    rest: Any = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
