"""Profiles into Redis, as `kairos.adapters.profiles` reads them: one hash per user, whole at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from typing import Any

import msgspec
import redis

from kairos.adapters.profiles import BATCH, PREFIX, TEXTS

# An opt-out that a channel reported is not undone by a table that knows nothing of it.
_REPLACE = """
local kept = redis.call('HMGET', KEYS[1], 'dead_addresses', 'unsubscribed')
redis.call('DEL', KEYS[1])
if kept[1] then redis.call('HSET', KEYS[1], 'dead_addresses', kept[1]) end
if kept[2] then redis.call('HSET', KEYS[1], 'unsubscribed', kept[2]) end
if #ARGV > 0 then redis.call('HSET', KEYS[1], unpack(ARGV)) end
"""
Profiles = Mapping[str, Mapping[str, Any]] | Iterable[tuple[str, Mapping[str, Any]]]


def write_profiles(client: redis.Redis, profiles: Profiles, on_written: Callable[[int], object] | None = None) -> int:
    """Replaces the profiles of these users; fields that are null are left out. Returns how many users.

    What delivery workers write (`dead_addresses`, `unsubscribed`) stays where the new profile says nothing of it.

    `on_written` hears how many are there so far. Raises redis.RedisError; those of full batches are written then.
    """
    users, written = iter(profiles.items() if isinstance(profiles, Mapping) else profiles), 0
    while batch := list(islice(users, BATCH)):
        pipeline = client.pipeline(transaction=True)
        for user, profile in batch:
            fields = {field: _text(field, value) for field, value in profile.items() if value is not None}
            pipeline.eval(_REPLACE, 1, PREFIX + user, *chain.from_iterable(fields.items()))
        pipeline.execute()
        written += len(batch)
        if on_written is not None:
            on_written(written)
    return written


def _text(field: str, value: Any) -> str:
    if field in TEXTS and isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
