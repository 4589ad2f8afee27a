"""Who cannot, or does not want to, be reached: kept in the user's profile, where the gates look.

Fields of the Redis hash `profile:<user>`: `dead_addresses`, addresses, and `unsubscribed`, channels; both JSON lists.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec
import redis

from kairos.adapters.profiles import PREFIX

# One step on the server: two workers that add at the same time both do.
_ADD = """
local text = redis.call('HGET', KEYS[1], ARGV[1])
local known, list = pcall(cjson.decode, text or '[]')
if not known or type(list) ~= 'table' then list = {} end
for _, item in ipairs(list) do
  if item == ARGV[2] then return 0 end
end
table.insert(list, ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(list))
return 1
"""


class ListsAwayError(Exception):
    """Where the lists are kept nobody answers."""


class Lists(Protocol):
    """Calls block; what is there already is not added twice. Both raise ListsAwayError."""

    def dead_address(self, user_id: str, address: str) -> None: ...

    def opted_out(self, user_id: str, channel: str) -> None: ...


class RedisLists:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def dead_address(self, user_id: str, address: str) -> None:
        self._add(user_id, "dead_addresses", address)

    def opted_out(self, user_id: str, channel: str) -> None:
        self._add(user_id, "unsubscribed", channel)

    def _add(self, user_id: str, field: str, value: str) -> None:
        try:
            self._client.eval(_ADD, 1, PREFIX + user_id, field, value)
        except redis.RedisError as error:
            raise ListsAwayError(f"Redis does not take what is known of user lists: {error}") from None


class FileLists:
    """Where profiles are a file, which nobody writes into: notes beside it, one JSON line each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def dead_address(self, user_id: str, address: str) -> None:
        self._note({"user_id": user_id, "dead_address": address})

    def opted_out(self, user_id: str, channel: str) -> None:
        self._note({"user_id": user_id, "unsubscribed": channel})

    def _note(self, note: dict[str, str]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(note) + b"\n")
        except OSError as error:
            raise ListsAwayError(f"{self._path}: {error.strerror}") from None
