"""Profiles in Redis, as they are written there.

Redis holds one hash per user, `profile:<user>`. Addresses and the time zone are text; every other value is JSON (`3`,
`true`, `["vip"]`) or, where it is not, text. The fields `crowds`, `lists`, `unsubscribed` and `dead_addresses` are JSON
lists of texts. Who is in a crowd or on a list may also, or only, be said by a Redis set: `crowd:<name>`, `list:black`,
`list:white`; both count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, cast

import msgspec
import redis

from kairos.adapters.profiles.keys import PREFIX
from kairos.engine.channel import ADDRESSES
from kairos.errors import KairosError

Profile = Mapping[str, Any]

TEXTS = ADDRESSES | {"timezone", "name"}
"""Fields that are text even where they look like a number."""
UNREADABLE = {"unsubscribed": "unreadable", "lists": "unreadable", "consents": "unreadable"}
"""What is known of a user whose profile cannot be read: consent that cannot be read means no."""
BATCH = 500
TIMEOUT_SECONDS = 2.0


class ProfilesUnreachableError(KairosError):
    """Where profiles should come from there is nothing."""


class EmptiedError(redis.RedisError):
    """The store answers, but what was in it is gone: as good as away until it is filled again."""


def without_password(url: str) -> str:
    """As it may be shown."""
    return re.sub(r"([?&]password=)[^&]*", r"\1***", re.sub(r"//[^/]*@", "//***@", url))


def connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)


def all_profiles(url: str) -> dict[str, dict[str, Any]]:
    """User -> profile, of everybody; crowds and lists only as the profile says them. Raises redis.RedisError."""
    client, found = connect(url), {}
    try:
        keys = list(client.scan_iter(PREFIX + "*", count=BATCH, _type="hash"))
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            pipeline = client.pipeline(transaction=False)
            for key in some:
                pipeline.hgetall(key)
            for key, answer in zip(some, pipeline.execute(), strict=True):
                profile = profile_of(answer)
                if profile is not None:
                    found[key.decode("utf-8", "replace").removeprefix(PREFIX)] = profile
    finally:
        client.close()
    return found


def ask(client: redis.Redis, commands: Sequence[Sequence[str]], *, at_once: bool) -> list[Any]:
    """The answers, as they are, in one round trip; errors of single commands are among them. A fifth of the price of
    redis-py's pipeline. `at_once`: nothing happens in between. Raises redis.RedisError."""
    if at_once:
        commands = [("MULTI",), *commands, ("EXEC",)]
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_packed_command([b"".join(chain(*(connection.pack_command(*each) for each in commands)))])
        answers = [_read(connection) for _ in commands]
    except BaseException:
        connection.disconnect()  # there may be answers in it that nobody reads
        raise
    finally:
        pool.release(connection)
    return cast(list[Any], sound(answers[-1])) if at_once else answers


def _read(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error


def sound(answer: Any) -> Any:
    """Raises redis.RedisError."""
    if isinstance(answer, redis.RedisError):
        raise answer
    return answer


def read_profile(names: Sequence[str] | None, answer: Any) -> dict[str, Any] | None:
    """`answer`: of HMGET with these names; None: of HGETALL. Raises redis.RedisError; but a key that is no hash is one
    user's affair: nobody can read what she allows."""
    if isinstance(answer, redis.ResponseError) and str(answer).startswith("WRONGTYPE"):
        return dict(UNREADABLE)
    if isinstance(answer, redis.RedisError):
        raise answer
    if names is None:
        return profile_of(answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True)))
    read = zip(names, answer, strict=True)
    return {name: _value(name, value.decode("utf-8", "replace")) for name, value in read if value is not None} or None


def member_of(profile: dict[str, Any] | None, field: str, name: str) -> dict[str, Any]:
    """A member of a set is one as if the profile said so, beside whatever stands there."""
    profile = {} if profile is None else profile
    known = profile.get(field)
    names = known if isinstance(known, list) else [] if known is None else [known]
    profile[field] = names if name in names else [*names, name]
    return profile


def profile_of(fields: Mapping[bytes, bytes]) -> dict[str, Any] | None:
    """A hash as Redis gives it; an empty one is no profile."""
    texts = ((field.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for field, value in fields.items())
    return {field: _value(field, text) for field, text in texts} or None


def _value(field: str, text: str) -> Any:
    if field in TEXTS:
        return text
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return text
