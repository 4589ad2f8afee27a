"""Profiles into Redis, as `kairos.adapters.profiles.redis` reads them: one hash per user, whole at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from typing import Any

import msgspec
import redis

from kairos.adapters.profiles.consents import CONSENTS_LUA
from kairos.adapters.profiles.keys import FILLED, PREFIX
from kairos.adapters.profiles.lists import NAMES_LUA
from kairos.adapters.profiles.person import ORIGINS
from kairos.adapters.profiles.redis import BATCH, TEXTS
from kairos.adapters.profiles.table import Closed
from kairos.engine.profile.consent import UNREADABLE
from kairos.engine.profile.fields import SCORE
from kairos.engine.profile.merged import FIELD as MERGED
from kairos.engine.profile.topics import FIELD, IMPORT

# What Kairos itself writes into profiles: no table has it.
_IS_OWN = " or ".join([
    f"string.sub(all[i], 1, {len(SCORE)}) == '{SCORE}'",
    *(f"all[i] == '{name}'" for name in (MERGED, "merged_into", ORIGINS)),
])  # fmt: skip
# A table never takes an opt-out back, whatever it says; of dead addresses and lists it has to say something.
_REPLACE = f"""{NAMES_LUA}{CONSENTS_LUA}
local kept = redis.call('HMGET', KEYS[1], 'unsubscribed', 'dead_addresses', 'lists', '{FIELD}')
local all, own = redis.call('HGETALL', KEYS[1]), {{}}
for i = 1, #all, 2 do
  if ({_IS_OWN}) then table.insert(own, all[i]); table.insert(own, all[i + 1]) end
end
redis.call('DEL', KEYS[1])
if #own > 0 then redis.call('HSET', KEYS[1], unpack(own)) end
if kept[2] then redis.call('HSET', KEYS[1], 'dead_addresses', kept[2]) end
if kept[3] then redis.call('HSET', KEYS[1], 'lists', kept[3]) end
if #ARGV > 0 then redis.call('HSET', KEYS[1], unpack(ARGV)) end
local new, out = redis.call('HGET', KEYS[1], 'unsubscribed'), {{}}
for _, name in ipairs(names(kept[1])) do
  if not new or name ~= '{UNREADABLE}' then out = with(out, name) end
end
if #out > 0 then
  for _, name in ipairs(names(new)) do out = with(out, name) end
  redis.call('HSET', KEYS[1], 'unsubscribed', cjson.encode(out))
end
if kept[4] then
  local was, now = consents(kept[4]), consents(redis.call('HGET', KEYS[1], '{FIELD}'))
  if was == nil then
    redis.call('HSET', KEYS[1], '{FIELD}', kept[4])
  elseif now ~= nil and next(was) ~= nil then
    for topic, word in pairs(was) do
      local on = said(word)
      if not on or not newer(now[topic], word) then now[topic] = word end
    end
    redis.call('HSET', KEYS[1], '{FIELD}', cjson.encode(now))
  end
end
"""
_CLOSE = f"""{NAMES_LUA}{CONSENTS_LUA}
local function refuse(text, topic)
  local known = consents(text)
  if known == nil then return text end
  if topic == '{UNREADABLE}' then return topic end
  known[topic] = {{on = false, by = '{IMPORT}'}}
  return cjson.encode(known)
end
for i = 1, #ARGV, 2 do
  if ARGV[i] == '{FIELD}' then
    redis.call('HSET', KEYS[1], ARGV[i], refuse(redis.call('HGET', KEYS[1], ARGV[i]), ARGV[i + 1]))
  else
    redis.call('HSET', KEYS[1], ARGV[i], cjson.encode(with(names(redis.call('HGET', KEYS[1], ARGV[i])), ARGV[i + 1])))
  end
end
"""
Profiles = Mapping[str, Mapping[str, Any]] | Iterable[tuple[str, Mapping[str, Any]]]


def write_profiles(client: redis.Redis, profiles: Profiles, on_written: Callable[[int], object] | None = None) -> int:
    """Replaces the profiles of these users; fields that are null are left out. Returns how many users.

    Scores and what `kairos people` wrote stay. What was in `unsubscribed` stays in it, and what was refused in
    `consents` refused; `dead_addresses` and `lists` stay where the new profile does not have them. `Closed` ones gain
    names, nothing else, and are not counted.

    `on_written` hears how many are there so far. Raises redis.RedisError; those of full batches are written then. Only
    when all are written the store is marked as filled.
    """
    users, written = iter(profiles.items() if isinstance(profiles, Mapping) else profiles), 0
    while batch := list(islice(users, BATCH)):
        pipeline = client.pipeline(transaction=True)
        for user, profile in batch:
            if isinstance(profile, Closed):
                pairs = ((field, name) for field, names in profile.items() for name in names)
                pipeline.eval(_CLOSE, 1, PREFIX + user, *chain.from_iterable(pairs))
                continue
            fields = {field: _text(field, value) for field, value in profile.items() if value is not None}
            pipeline.eval(_REPLACE, 1, PREFIX + user, *chain.from_iterable(fields.items()))
        pipeline.execute()
        written += sum(not isinstance(profile, Closed) for _, profile in batch)
        if on_written is not None:
            on_written(written)
    if written:
        client.set(FILLED, 1)
    return written


def _text(field: str, value: Any) -> str:
    if field in TEXTS and isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
