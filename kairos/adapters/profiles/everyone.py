"""Everyone known, one after the other: for whoever asks of all of them, and not of one who has just done something.

Known is whoever has a profile, whoever is in a crowd by hand or in a snapshot that is asked for, and whoever an event
in the warehouse is of (`others`); an item of a catalog makes nobody known. So has it `schedule/played.py` of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import redis

from kairos.adapters.crowds.redis import MEMBERS
from kairos.adapters.crowds.sqlite import SqliteCrowds
from kairos.adapters.crowds.text import with_crowds
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.consents import count_refused_since, refused_since
from kairos.adapters.profiles.file import Profiles, read_profiles
from kairos.adapters.profiles.keys import CROWD, PREFIX
from kairos.adapters.profiles.redis import connect, read_profile, without_password
from kairos.engine.profile.topics import FIELD, has_refused
from kairos.engine.rule.reads.needs import Needs
from kairos.errors import KairosError

AT_ONCE = 2_000
"""Users of one round trip."""
_CACHED = 1  # nothing is asked twice

_T = TypeVar("_T")

Others = Callable[[], Iterable[str]]


def nobody() -> Iterable[str]:
    return ()


class PeopleAwayError(KairosError):
    """The store of profiles does not answer."""


class EveryoneInFile:
    """`crowds`: a file with snapshots, if it is there."""

    def __init__(self, path: Path, crowds: Path | None = None, others: Others = nobody) -> None:
        self._path, self._crowds, self._others = path, crowds, others

    @property
    def has_snapshots(self) -> bool:
        """Whether it is known who is in kept crowds; else nobody is."""
        return self._crowds is not None and self._crowds.exists()

    def find(self, user_id: str) -> Mapping[str, Any] | None:
        """The user's own profile. Raises PeopleAwayError."""
        try:
            return read_profiles(self._path, lambda _problem: None).get(user_id)
        except (OSError, KairosError) as error:
            raise PeopleAwayError(f"the profiles {self._path}: {error}") from None

    def everyone(self, needs: Needs) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Raises PeopleAwayError."""
        crowds = SqliteCrowds(self._crowds) if self._crowds is not None and self.has_snapshots else None
        try:
            profiles: Profiles = read_profiles(self._path, lambda _problem: None)
            others = set(self._others())
            if crowds is not None:
                others |= {span.user_id for crowd in needs.kept for span in crowds.spans(crowd)}
            for user in [*profiles, *sorted(others - profiles.keys())]:
                profile = profiles.get(user)
                yield user, (profile if crowds is None else with_crowds(profile, *crowds.memberships(user))) or {}
        except (OSError, KairosError) as error:
            raise PeopleAwayError(f"the profiles {self._path}: {error}") from None
        finally:
            if crowds is not None:
                crowds.close()

    def refused_since(self, since: int) -> set[str]:
        """Who has said no to some topic since then (epoch ms). Raises PeopleAwayError."""
        told = EveryoneInFile(self._path).everyone(Needs(frozenset({FIELD})))
        return {user for user, profile in told if has_refused(profile, since)}

    def count_refused_since(self, since: int) -> int:
        """How many they are. Raises PeopleAwayError."""
        return len(self.refused_since(since))


class EveryoneInRedis:
    def __init__(self, url: str, others: Others = nobody) -> None:
        """Nothing is connected yet."""
        self._url, self._others = url, others

    has_snapshots = True

    def find(self, user_id: str) -> Mapping[str, Any] | None:
        """The user's own profile. Raises PeopleAwayError."""
        return self._asked(lambda client: read_profile(None, client.hgetall(PREFIX + user_id)))

    def everyone(self, needs: Needs) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Raises PeopleAwayError."""
        client = connect(self._url)
        profiles = RedisProfiles(client, 1.0, _CACHED, lambda _what: None, degrade=False)
        try:
            batch: list[str] = []
            for user in self._users(client, needs):
                batch.append(user)
                if len(batch) == AT_ONCE:
                    yield from _filled(profiles, batch, needs)
                    batch = []
            yield from _filled(profiles, batch, needs)
        except redis.RedisError as error:
            raise PeopleAwayError(f"the profiles at {without_password(self._url)}: {error}") from None
        except KairosError as error:  # of the others
            raise PeopleAwayError(str(error)) from None
        finally:
            profiles.close()

    def refused_since(self, since: int) -> set[str]:
        """As in a file, without a look at every profile. Raises PeopleAwayError."""
        return self._asked(lambda client: refused_since(client, since))

    def count_refused_since(self, since: int) -> int:
        """How many they are, without fetching them. Raises PeopleAwayError."""
        return self._asked(lambda client: count_refused_since(client, since))

    def _asked(self, question: Callable[[redis.Redis], _T]) -> _T:
        """Raises PeopleAwayError."""
        client = connect(self._url)
        try:
            return question(client)
        except redis.RedisError as error:
            raise PeopleAwayError(f"the profiles at {without_password(self._url)}: {error}") from None
        finally:
            client.close()

    def _users(self, client: redis.Redis, needs: Needs) -> Iterator[str]:
        """Each once: a scan may come upon a key twice."""
        seen: set[bytes] = set()
        for user in self._named(client, needs):
            if user not in seen:
                seen.add(user)
                yield user.decode("utf-8", "replace")

    def _named(self, client: redis.Redis, needs: Needs) -> Iterator[bytes]:
        for prefix in (PREFIX, MEMBERS) if needs.kept else (PREFIX,):
            for key in client.scan_iter(prefix + "*", count=AT_ONCE, _type="hash"):
                yield key[len(prefix) :]
        for crowd in sorted(needs.crowds):
            yield from client.sscan_iter(CROWD + crowd, count=AT_ONCE)
        for user in self._others():
            yield user.encode("utf-8", "replace")


def _filled(profiles: RedisProfiles, users: list[str], needs: Needs) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if users:
        found, _ = profiles.fetch(users, needs)
        for user, profile in zip(users, found, strict=True):
            yield user, profile or {}


def open_everyone(
    url: str | None, file: str | None, crowds: str | None = None, others: Others = nobody
) -> EveryoneInRedis | EveryoneInFile:
    """`url`, `file`: of the profiles. Raises PeopleAwayError where neither is there."""
    if url:
        return EveryoneInRedis(url, others)
    if file:
        return EveryoneInFile(Path(file), Path(crowds) if crowds else None, others)
    raise PeopleAwayError("the configuration names no profiles, so nobody is known: profiles.redis or profiles.file")
