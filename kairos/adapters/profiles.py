"""Profiles of users: from Redis, fetched ahead of need, or from a file.

Redis holds one hash per user, `profile:<user>`. Addresses and the time zone are text; every other value is JSON (`3`,
`true`, `["vip"]`) or, where it is not, text. The fields `crowds`, `lists`, `unsubscribed` and `dead_addresses` are JSON
lists of texts. Who is in a crowd or on a list may also, or only, be said by a Redis set: `crowd:<name>`, `list:black`,
`list:white`; both count.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
import redis

from kairos.adapters.profile_file import ProfileFileError, read_profiles
from kairos.engine.moment import Degraded
from kairos.engine.rule.needs import EVERY_FIELD, Needs

Profile = Mapping[str, Any]

PREFIX = "profile:"
CROWD, LIST = "crowd:", "list:"
TEXTS = frozenset({"phone", "email", "wechat_openid", "push_token", "timezone", "name"})
"""Fields that are text even where they look like a number."""
BATCH = 500
TIMEOUT_SECONDS = 2.0
BACKOFF_SECONDS = (0.05, 2.0)


class ProfilesUnreachableError(Exception):
    """Where profiles should come from there is nothing."""


class ProfileSettings(Protocol):
    """What `open_profiles` needs to know. `ttl`: ms."""

    redis: str | None
    file: str | None
    ttl: int
    max_users: int
    degrade: bool


def check_profiles(redis_url: str | None, file: str | None) -> None:
    """Raises ProfilesUnreachableError."""
    try:
        if redis_url:
            connect(redis_url).ping()
        if file:
            read_profiles(Path(file), lambda _problem: None)
    except (redis.RedisError, ValueError) as error:
        raise ProfilesUnreachableError(f"no Redis answers at {without_password(redis_url or '')}: {error}") from None
    except (OSError, ProfileFileError) as error:
        raise ProfilesUnreachableError(f"the file {file}: {getattr(error, 'strerror', None) or error}") from None


def without_password(url: str) -> str:
    """As it may be shown."""
    return re.sub(r"([?&]password=)[^&]*", r"\1***", re.sub(r"//[^/]*@", "//***@", url))


def connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)


Count = Callable[[str], None]
"""Hears of what became of lookups: `hit`, `wait` (a decision came before its profile), `failure`, `degraded`."""


def open_profiles(settings: ProfileSettings, count: Count) -> FileProfiles | RedisProfiles:
    if settings.redis:
        client = connect(settings.redis)
        return RedisProfiles(client, settings.ttl / 1000, settings.max_users, count, degrade=settings.degrade)
    return FileProfiles(Path(settings.file or ""))


class FileProfiles:
    """All of them in memory: for the laptop and for tests."""

    def __init__(self, path: Path) -> None:
        self._profiles = read_profiles(path, lambda _problem: None)

    def need(self, needs: Needs) -> None:
        pass

    def expect(self, user_id: str) -> None:
        pass

    def get(self, user_id: str) -> Profile | None:
        return self._profiles.get(user_id)

    def close(self) -> None:
        pass


class RedisProfiles:
    """A bounded cache that a helper thread fills while events wait for their watermark.

    `need`, `expect`, `get` and `close` are for the caller's one thread; the helper talks to Redis and the cache, to
    nothing else. With Redis away `get` waits, with a growing pause, or answers `Degraded` at once.
    """

    def __init__(
        self,
        client: redis.Redis,
        ttl: float,
        max_users: int,
        count: Count,
        *,
        degrade: bool,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._ttl = ttl
        self._max_users = max_users
        self._count = count
        self._degrade = degrade
        self._clock = clock
        self._pause = pause
        self._needs = EVERY_FIELD
        self._cache: OrderedDict[str, tuple[float, Profile | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._wanted: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._asked: set[str] = set()
        self._helper = threading.Thread(target=self._prefetch, name="profiles", daemon=True)
        self._helper.start()

    def need(self, needs: Needs) -> None:
        """What was fetched for other needs is forgotten."""
        if needs != self._needs:
            with self._lock:
                self._needs = needs
                self._cache.clear()

    def expect(self, user_id: str) -> None:
        if user_id in self._asked or self._cached(user_id) is not None:
            return
        if len(self._asked) < self._max_users:
            self._asked.add(user_id)
            self._wanted.put(user_id)

    def get(self, user_id: str) -> Profile | None:
        entry = self._cached(user_id)
        if entry is not None:
            self._count("hit")
            return entry[1]
        self._count("wait")
        pause, longest = BACKOFF_SECONDS
        while True:
            try:
                needs = self._needs
                profile = self._fetch([user_id], needs)[0]
            except redis.RedisError:
                self._count("failure")
                if self._degrade:
                    self._count("degraded")
                    return Degraded()
                self._pause(pause)
                pause = min(pause * 2, longest)
            else:
                self._keep(user_id, profile, needs)
                return profile

    def close(self) -> None:
        self._wanted.put(None)
        self._helper.join(TIMEOUT_SECONDS)
        self._client.close()

    def _cached(self, user_id: str) -> tuple[float, Profile | None] | None:
        entry = self._cache.get(user_id)
        return entry if entry is not None and entry[0] > self._clock() else None

    def _keep(self, user_id: str, profile: Profile | None, needs: Needs) -> None:
        with self._lock:
            if needs is not self._needs:
                return
            self._cache[user_id] = (self._clock() + self._ttl, profile)
            self._cache.move_to_end(user_id)
            while len(self._cache) > self._max_users:
                self._cache.popitem(last=False)

    def _prefetch(self) -> None:
        """The helper thread. What it fails to fetch, `get` fetches when it is needed."""
        while (first := self._wanted.get()) is not None:
            users = [first]
            while len(users) < BATCH and not self._wanted.empty():
                user = self._wanted.get()
                if user is None:
                    return
                users.append(user)
            try:
                needs = self._needs
                for user, profile in zip(users, self._fetch(users, needs), strict=True):
                    self._keep(user, profile, needs)
            except redis.RedisError:
                self._pause(BACKOFF_SECONDS[0])
            finally:
                self._asked.difference_update(users)

    def _fetch(self, users: Sequence[str], needs: Needs) -> list[dict[str, Any] | None]:
        """In one round trip: a command for each user, and one for each set. Raises redis.RedisError."""
        pipeline = self._client.pipeline(transaction=False)
        names = None if needs.fields is None else sorted(needs.fields)
        for user in users:
            if names is None:
                pipeline.hgetall(PREFIX + user)
            else:
                pipeline.hmget(PREFIX + user, names)
        sets = [("crowds", CROWD, name) for name in sorted(needs.crowds)]
        sets += [("lists", LIST, name) for name in sorted(needs.lists)]
        for _, prefix, name in sets:
            pipeline.smismember(prefix + name, list(users))
        answers = pipeline.execute()
        profiles = [_profile(_named(names, answer)) for answer in answers[: len(users)]]
        for (field, _, name), members in zip(sets, answers[len(users) :], strict=True):
            for place, member in enumerate(members):
                if member:
                    profiles[place] = _with(profiles[place], field, name)
        return profiles


def _named(names: Sequence[str] | None, answer: Any) -> Mapping[bytes, bytes]:
    """What HGETALL gives, of what HMGET gave."""
    if names is None:
        return cast(Mapping[bytes, bytes], answer)
    return {name.encode(): value for name, value in zip(names, answer, strict=True) if value is not None}


def _with(profile: dict[str, Any] | None, field: str, name: str) -> dict[str, Any]:
    """A member of a set is one as if the profile said so; what stands there and is no list counts for nothing."""
    profile = {} if profile is None else profile
    known = profile.get(field)
    names = known if isinstance(known, list) else []
    profile[field] = names if name in names else [*names, name]
    return profile


def _profile(fields: Mapping[bytes, bytes]) -> dict[str, Any] | None:
    """A hash as Redis gives it; an empty one is no profile."""
    texts = ((field.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for field, value in fields.items())
    return {field: _value(field, text) for field, text in texts} or None


def _value(field: str, text: str) -> Any:
    if field in TEXTS:
        return text
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return text
