"""What users have said of topics, in Redis: the field `consents` of `profile:<user>`, JSON, as the engine reads it.

Each change is one step on the server, and the newest word stays, so a change may be written again, or late.
"""

from __future__ import annotations

from typing import Any

import msgspec
import redis

from kairos.adapters.profiles.keys import FILLED, PREFIX, REFUSALS
from kairos.engine.profile.topics import EVENT, FIELD, ConsentChange, word_of

# nil: it cannot be read. An empty list is an empty object to whoever encodes Lua's tables.
CONSENTS_LUA = """
local function consents(text)
  if not text or text == '' or text == 'null' then return {} end
  local known, found = pcall(cjson.decode, text)
  if not known or type(found) ~= 'table' or #found > 0 then return nil end
  return found
end
local function said(word)
  local at = type(word) == 'table' and type(word.at) == 'number' and word.at or nil
  local on = word == true or (type(word) == 'table' and word.on == true)
  return on, at or (on and 0 or math.huge)
end
local function newer(word, than)
  if word == nil then return false end
  if than == nil then return true end
  local on, at = said(word)
  local was, before = said(than)
  return at > before or (at == before and was and not on)
end
"""
_SAY = f"""{CONSENTS_LUA}
local known = consents(redis.call('HGET', KEYS[1], '{FIELD}'))
local word = {{on = ARGV[2] == '1', at = tonumber(ARGV[3]), by = ARGV[4]}}
if known == nil then return word.on and -1 or 0 end
local _, before = said(known[ARGV[1]])
if known[ARGV[1]] ~= nil and before ~= math.huge then
  if ARGV[5] == '1' and before > word.at then word.at = before end
  if not newer(word, known[ARGV[1]]) then return 0 end
end
known[ARGV[1]] = word
redis.call('HSET', KEYS[1], '{FIELD}', cjson.encode(known))
local last = 0
for _, each in pairs(known) do
  local on, at = said(each)
  if not on and at ~= math.huge and at > last then last = at end
end
if last > 0 then redis.call('ZADD', KEYS[2], last, ARGV[6]) else redis.call('ZREM', KEYS[2], ARGV[6]) end
return 1
"""
"""A no that has no time, as an import may have, gives way to whatever is said with one. ARGV[5]: it is said now, so a
no counts whatever the clock was that wrote the word before."""


class UnreadableConsentsError(Exception):
    """What stands there is a no to everything, and nothing can be added to it."""


def say(client: redis.Redis, change: ConsentChange) -> bool:
    """False: a newer word was there. Raises redis.RedisError and UnreadableConsentsError."""
    word, now = change.word, not change.by.startswith(EVENT)
    values = (change.topic, int(word.on), word.at, change.by, int(now and not word.on), change.user_id)
    done: Any = client.eval(_SAY, 2, PREFIX + change.user_id, REFUSALS, *map(str, values))
    if done == -1:
        raise UnreadableConsentsError(f"'{FIELD}' of {change.user_id} cannot be read, and stands for no to everything")
    return bool(done == 1)


def refused_since(client: redis.Redis, since: int) -> set[str]:
    """Who has said no to some topic since then (epoch ms), and not yes again. Raises redis.RedisError."""
    users: Any = client.zrange(REFUSALS, since, "+inf", byscore=True)  # type: ignore[arg-type]
    return {user.decode("utf-8", "replace") for user in users}


def count_refused_since(client: redis.Redis, since: int) -> int:
    """How many they are. Raises redis.RedisError."""
    found: Any = client.zcount(REFUSALS, since, "+inf")
    return int(found)


class Refusals:
    """Who has said no to what. Blocks; raises redis.RedisError, also where the store has been emptied."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._filled = False  # whether anything was ever there

    def of(self, user_id: str, topic: str) -> bool:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hget(PREFIX + user_id, FIELD)
        pipeline.exists(FILLED)
        said, filled = pipeline.execute(raise_on_error=False)
        if isinstance(filled, redis.RedisError):
            raise filled
        if self._filled and not filled:
            raise redis.RedisError("the profile store has been emptied")
        self._filled = bool(filled)
        return _refuses(said, topic)


def _refuses(said: bytes | redis.RedisError | None, topic: str) -> bool:
    if isinstance(said, redis.ResponseError):
        return True  # the key is no profile: nobody can read what this user allows
    if isinstance(said, redis.RedisError):
        raise said
    if said is None:
        return False
    try:
        profile = {FIELD: msgspec.json.decode(said)}
    except (ValueError, RecursionError):
        return True
    word = word_of(profile, topic)
    return word is not None and not word.on
