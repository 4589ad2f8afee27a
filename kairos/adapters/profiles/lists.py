"""Who cannot, or does not want to, be reached: kept in the user's profile, where the gates look.

Fields of the Redis hash `profile:<user>`: `dead_addresses`, addresses, and `unsubscribed`, channels; both JSON lists.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import msgspec
import redis

from kairos.adapters.profiles.consents import Refusals, say
from kairos.adapters.profiles.keys import PREFIX
from kairos.engine.profile.topics import ConsentChange
from kairos.errors import KairosError

# What stands in a field and is no list is kept as one name: nothing that is added may turn a no into a yes.
NAMES_LUA = """
local function names(text)
  if not text or text == '' or text == 'null' or text == 'false' then return {} end
  local known, list = pcall(cjson.decode, text)
  if not known or type(list) ~= 'table' or (#list == 0 and next(list) ~= nil) then return {text} end
  return list
end
local function with(list, item)
  for _, known in ipairs(list) do
    if known == item then return list end
  end
  table.insert(list, item)
  return list
end
"""

# One step on the server: two workers that add at the same time both do.
_ADD = f"""{NAMES_LUA}
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(with(names(redis.call('HGET', KEYS[1], ARGV[1])), ARGV[2])))
"""


class ListsAwayError(KairosError):
    """Where the lists are kept nobody answers."""


class Lists(Protocol):
    """Calls block; what is there already is not added twice. All raise ListsAwayError."""

    def dead_address(self, user_id: str, address: str) -> None: ...

    def opted_out(self, user_id: str, channel: str) -> None: ...

    def say(self, change: ConsentChange) -> None:
        """Writes what a user said of a topic; a newer word stays."""

    def refuses(self, user_id: str, topic: str) -> bool:
        """Whether the user is known to have said no to it."""


class RedisLists:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._refusals = Refusals(client)

    def say(self, change: ConsentChange) -> None:
        try:
            say(self._client, change)
        except redis.RedisError as error:
            raise ListsAwayError(f"Redis does not take what is said of topics: {error}") from None

    def refuses(self, user_id: str, topic: str) -> bool:
        try:
            return self._refusals.of(user_id, topic)
        except redis.RedisError as error:
            raise ListsAwayError(f"Redis does not tell who has left: {error}") from None

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

    def say(self, change: ConsentChange) -> None:
        word = {"on": change.word.on, "at": change.word.at, "by": change.by}
        self._note({"user_id": change.user_id, "consents": {change.topic: word}})

    def refuses(self, user_id: str, topic: str) -> bool:
        return False

    def _note(self, note: dict[str, Any]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(note) + b"\n")
        except OSError as error:
            raise ListsAwayError(f"{self._path}: {error.strerror}") from None
