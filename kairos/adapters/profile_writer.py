"""Profiles into Redis, as `kairos.adapters.profiles` reads them: one hash per user, whole at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import msgspec
import redis

from kairos.adapters.profiles import BATCH, PREFIX, TEXTS


def write_profiles(
    client: redis.Redis, profiles: Mapping[str, Mapping[str, Any]], on_written: Callable[[int], object] | None = None
) -> int:
    """Replaces the profiles of these users; fields that are null are left out. Returns how many users.

    `on_written` hears how many are there so far. Raises redis.RedisError; those of full batches are written then.
    """
    users, written = iter(profiles.items()), 0
    while batch := list(islice(users, BATCH)):
        pipeline = client.pipeline(transaction=True)
        for user, profile in batch:
            fields = {field: _text(field, value) for field, value in profile.items() if value is not None}
            pipeline.delete(PREFIX + user)
            if fields:
                pipeline.hset(PREFIX + user, mapping=fields)
        pipeline.execute()
        written += len(batch)
        if on_written is not None:
            on_written(written)
    return written


def _text(field: str, value: Any) -> str:
    if field in TEXTS and isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
