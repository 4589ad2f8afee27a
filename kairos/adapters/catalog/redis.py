"""Items in Redis: `catalog:<catalog>:<key>`, the fields as JSON. The job writes what it hears, and reads it again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import msgspec
import redis

from kairos.adapters.profiles.redis import connect
from kairos.backoff import Backoff
from kairos.engine.catalog.items import Fields

PREFIX = "catalog:"
TTL_SECONDS = 1.0
MOST_ITEMS = 100_000
"""Items that one task keeps for so long."""
BACKOFF_SECONDS = (0.05, 2.0)
_T = TypeVar("_T")


class RedisItems:
    """Nothing is connected yet. With Redis away both calls wait, with a growing pause; `count` hears of `failure`, and
    of `wait` where an item had to be fetched. One thread."""

    def __init__(
        self,
        url: str,
        count: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = connect(url)
        self._count, self._clock, self._pause = count, clock, pause
        self._cache: OrderedDict[tuple[str, str], tuple[float, Fields | None]] = OrderedDict()

    def __call__(self, catalog: str, key: str, _instant: int) -> Fields | None:
        """The item as it is now."""
        known = self._cache.get((catalog, key))
        if known is not None and known[0] > self._clock():
            return known[1]
        self._count("wait")
        said = self._until(lambda: cast(bytes | None, self._client.get(_place(catalog, key))))
        fields = None if said is None else _fields(said)
        self._cache[catalog, key] = (self._clock() + TTL_SECONDS, fields)
        self._cache.move_to_end((catalog, key))
        while len(self._cache) > MOST_ITEMS:
            self._cache.popitem(last=False)
        return fields

    def put(self, catalog: str, key: str, fields: Mapping[str, Any]) -> None:
        self._until(lambda: self._client.set(_place(catalog, key), msgspec.json.encode(fields)))

    def close(self) -> None:
        self._client.close()

    def _until(self, call: Callable[[], _T]) -> _T:
        backoff = Backoff(*BACKOFF_SECONDS)
        while True:
            try:
                return call()
            except redis.RedisError:
                self._count("failure")
                self._pause(backoff.pause())


def _place(catalog: str, key: str) -> str:
    return f"{PREFIX}{catalog}:{key}"


def _fields(said: bytes) -> Fields | None:
    """None for what is no object: somebody else's key."""
    try:
        return msgspec.json.decode(said, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
