"""The profiles that a configuration names: in Redis, or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import redis

from kairos.adapters.crowds.sqlite import SqliteCrowds
from kairos.adapters.crowds.text import with_crowds
from kairos.adapters.profiles.ahead import Count, RedisProfiles
from kairos.adapters.profiles.file import ProfileFileError, read_profiles
from kairos.adapters.profiles.redis import Profile, ProfilesUnreachableError, connect, without_password
from kairos.engine.profile.topics import ConsentChange
from kairos.engine.rule.reads.needs import Needs


class ProfileSettings(Protocol):
    """What `open_profiles` needs to know. `ttl`: ms."""

    @property
    def redis(self) -> str | None: ...
    @property
    def file(self) -> str | None: ...
    @property
    def crowds(self) -> str | None: ...
    @property
    def ttl(self) -> int: ...
    @property
    def max_users(self) -> int: ...
    @property
    def degrade(self) -> bool: ...


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


def open_profiles(settings: ProfileSettings, count: Count) -> FileProfiles | RedisProfiles:
    if settings.redis:
        client = connect(settings.redis)
        return RedisProfiles(client, settings.ttl / 1000, settings.max_users, count, degrade=settings.degrade)
    return FileProfiles(Path(settings.file or ""), Path(settings.crowds) if settings.crowds else None)


class FileProfiles:
    """All of them in memory: for the laptop and for tests. `crowds`: a file with snapshots, if it is there."""

    def __init__(self, path: Path, crowds: Path | None = None) -> None:
        self._profiles = read_profiles(path, lambda _problem: None)
        self._crowds = SqliteCrowds(crowds) if crowds is not None and crowds.exists() else None

    def need(self, needs: Needs) -> None:
        pass

    def expect(self, user_id: str) -> None:
        pass

    def get(self, user_id: str) -> Profile | None:
        profile = self._profiles.get(user_id)
        return profile if self._crowds is None else with_crowds(profile, *self._crowds.memberships(user_id))

    def say(self, change: ConsentChange) -> None:
        """Nobody writes into a file; the engine keeps what events say."""

    def close(self) -> None:
        if self._crowds is not None:
            self._crowds.close()
