"""Single fields of many profiles, set or taken away; everything else of these profiles stays as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import redis

from kairos.adapters.profiles.file import decode_table
from kairos.adapters.profiles.keys import FILLED, PREFIX
from kairos.adapters.profiles.redis import BATCH

Fields = Mapping[str, Mapping[str, Any]]
"""User -> field -> value; None takes the field away."""


def set_in_redis(client: redis.Redis, fields: Fields) -> None:
    """Raises redis.RedisError; what was written until then stays, and can be written again."""
    users = iter(fields.items())
    while batch := list(islice(users, BATCH)):
        pipeline = client.pipeline(transaction=False)
        for user, values in batch:
            known = {name: msgspec.json.encode(value) for name, value in values.items() if value is not None}
            if known:
                pipeline.hset(PREFIX + user, mapping=known)
            if gone := [name for name, value in values.items() if value is None]:
                pipeline.hdel(PREFIX + user, *gone)
        pipeline.execute()
    client.set(FILLED, 1)


def set_in_file(path: Path, fields: Fields) -> None:
    """Of a JSON file of profiles, which is replaced as a whole. Raises ProfileFileError and OSError."""
    table = decode_table(path.read_bytes()) if path.exists() else {}
    for user, values in fields.items():
        profile = table.setdefault(user, {})
        profile.update({name: value for name, value in values.items() if value is not None})
        for name in (name for name, value in values.items() if value is None):
            profile.pop(name, None)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1))
    os.replace(draft, path)
