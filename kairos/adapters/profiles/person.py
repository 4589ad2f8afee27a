"""One person's profile, to be looked at, changed and removed: in Redis, or in a JSON file of profiles."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
import redis

from kairos.adapters.crowds.redis import MEMBERS
from kairos.adapters.profiles.file import ProfileFileError, decode_table
from kairos.adapters.profiles.keys import CROWD, LIST, PREFIX, REFUSALS
from kairos.adapters.profiles.redis import BATCH, TEXTS, ProfilesUnreachableError, connect, profile_of, without_password

ORIGINS = "origins"
"""Field of a profile: field -> who said so, and when."""
_OF_USER = ("merging:",)


class People(Protocol):
    """`place`: for messages; `called`: who says what stands there. All methods raise KairosError."""

    place: str
    called: str

    def profile(self, user_id: str) -> dict[str, Any] | None:
        """None: nobody knows her."""
        ...

    def sets(self, user_id: str) -> list[str]:
        """Lists and crowds by hand that have her beside what the profile says: `list:black`, `crowd:vip`."""
        ...

    def identities(self, user_id: str) -> list[str]:
        """`kind:value` of what leads to her."""
        ...

    def put(self, user_id: str, profile: Mapping[str, Any]) -> None:
        """Replaces the profile."""
        ...

    def join(self, user_id: str, names: Iterable[str]) -> None:
        """Puts her into these sets, named as `sets` names them."""
        ...

    def rebind(self, user_id: str, to: str) -> int:
        """Makes identities that led to her lead to another user; returns how many."""
        ...

    def remove(self, user_id: str) -> dict[str, int]:
        """Profile, memberships, identities and what waits for her: what was there -> how many."""
        ...


class FilePeople:
    """The whole file is written anew with each change, which is right for a laptop. A file knows no identities."""

    def __init__(self, path: Path) -> None:
        self.place, self.called = str(path), path.name
        self._path = path

    def _table(self) -> dict[str, Any]:
        try:
            return decode_table(self._path.read_bytes())
        except OSError as error:
            raise ProfileFileError(f"the profiles {self._path}: {error.strerror}") from None

    def _write(self, table: Mapping[str, Any]) -> None:
        draft = self._path.with_name(f".{self._path.name}.draft")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1))
        os.replace(draft, self._path)

    def profile(self, user_id: str) -> dict[str, Any] | None:
        found = self._table().get(user_id)
        return found if isinstance(found, dict) else None

    def sets(self, user_id: str) -> list[str]:
        return []

    def identities(self, user_id: str) -> list[str]:
        return []

    def put(self, user_id: str, profile: Mapping[str, Any]) -> None:
        self._write({**self._table(), user_id: profile})

    def join(self, user_id: str, names: Iterable[str]) -> None:
        assert not list(names), "a file has no sets"

    def rebind(self, user_id: str, to: str) -> int:
        return 0

    def remove(self, user_id: str) -> dict[str, int]:
        table = self._table()
        if user_id not in table:
            return {}
        del table[user_id]
        self._write(table)
        return {"profile": 1}


class RedisPeople:
    def __init__(self, address: str) -> None:
        self.place = self.called = without_password(address)
        self._client = connect(address)

    def profile(self, user_id: str) -> dict[str, Any] | None:
        return profile_of(self._asked("hgetall", PREFIX + user_id))

    def sets(self, user_id: str) -> list[str]:
        names = [key for key in self._keys("*", "set") if key.startswith((LIST, CROWD))]  # a scan sees every key
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.sismember(name, user_id)
        return [name for name, is_in in zip(names, self._guarded(pipeline.execute), strict=True) if is_in]

    def identities(self, user_id: str) -> list[str]:
        return sorted(key.removeprefix("identity:") for key in self._leading_to(user_id))

    def put(self, user_id: str, profile: Mapping[str, Any]) -> None:
        fields = {name: _text(name, value) for name, value in profile.items() if value is not None}
        pipeline = self._client.pipeline(transaction=True)
        pipeline.delete(PREFIX + user_id)
        if fields:
            pipeline.hset(PREFIX + user_id, mapping=cast(Any, fields))
        self._guarded(pipeline.execute)

    def join(self, user_id: str, names: Iterable[str]) -> None:
        for name in names:
            self._asked("sadd", name, user_id)

    def rebind(self, user_id: str, to: str) -> int:
        keys = self._leading_to(user_id)
        for key in keys:
            self._asked("set", key, to)
        return len(keys)

    def remove(self, user_id: str) -> dict[str, int]:
        keys, sets = self._leading_to(user_id), self.sets(user_id)
        gone = {
            "profile": self._asked("delete", PREFIX + user_id),
            "refusals": self._asked("zrem", REFUSALS, user_id),
            "memberships": sum(self._asked("srem", name, user_id) for name in sets),
            "crowds": self._asked("delete", MEMBERS + user_id),
            "identities": sum(self._asked("delete", key) for key in keys),
            "waiting": sum(self._asked("delete", prefix + user_id) for prefix in _OF_USER),
        }
        return {what: count for what, count in gone.items() if count}

    def _leading_to(self, user_id: str) -> list[str]:
        """Every identity is looked at: nothing says backwards whose they are."""
        keys, found = self._keys("identity:*", "string"), []
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            users = self._asked("mget", some)
            found += [key for key, user in zip(some, users, strict=True) if user == user_id.encode()]
        return found

    def _keys(self, pattern: str, type_: str) -> list[str]:
        found = self._guarded(lambda: list(self._client.scan_iter(pattern, count=BATCH, _type=type_)))
        return sorted(key.decode("utf-8", "replace") for key in found)

    def _asked(self, command: str, *values: Any) -> Any:
        return self._guarded(lambda: getattr(self._client, command)(*values))

    def _guarded(self, work: Any) -> Any:
        try:
            return work()
        except redis.RedisError as error:
            raise ProfilesUnreachableError(f"no Redis answers at {self.place}: {error}") from None


def _text(field: str, value: Any) -> str:
    return value if field in TEXTS and isinstance(value, str) else msgspec.json.encode(value).decode()
