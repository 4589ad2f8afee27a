"""Where imports of people go: what each of them changes is worked out from what is there, and written with it unchanged
meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import redis

from kairos.adapters.profiles.file import decode_table
from kairos.adapters.profiles.keys import FILLED, PREFIX
from kairos.adapters.profiles.person import ORIGINS
from kairos.adapters.profiles.redis import TEXTS, ProfilesUnreachableError, connect, profile_of, without_password
from kairos.engine.profile.united import CONSENT, imported

RACES = 20
"""How often a user whose profile changes meanwhile is tried again."""


class Changed(NamedTuple):
    """`fields` that were set; `kept`: fields of consent of which the file said less than is known."""

    user_id: str
    new: bool
    fields: list[str]
    kept: list[str]


class Importing(Protocol):
    """Raises KairosError."""

    def apply(self, given: Mapping[str, Mapping[str, Any]], origin: str, *, dry_run: bool) -> Iterator[Changed]:
        """`given`: user -> fields. Everything else of these users stays. All is written when it has been iterated."""
        ...


class FileImporting:
    """Into a JSON file of profiles, which is written anew with each call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def apply(self, given: Mapping[str, Mapping[str, Any]], origin: str, *, dry_run: bool) -> Iterator[Changed]:
        table = decode_table(self._path.read_bytes()) if self._path.exists() else {}
        for user, fields in given.items():
            known = table.get(user)
            update, changed = _update(user, known if isinstance(known, dict) else None, fields, origin)
            if update:
                table[user] = {**(known or {}), **update}
            yield changed
        if not dry_run:
            draft = self._path.with_name(f".{self._path.name}.draft")
            draft.write_bytes(msgspec.json.format(msgspec.json.encode(table), indent=1))
            os.replace(draft, self._path)


class RedisImporting:
    def __init__(self, address: str) -> None:
        self._place = without_password(address)
        self._client = connect(address)

    def apply(self, given: Mapping[str, Mapping[str, Any]], origin: str, *, dry_run: bool) -> Iterator[Changed]:
        try:
            for user, fields in given.items():
                yield self._one(user, fields, origin, dry_run=dry_run)
            if given and not dry_run:
                self._client.set(FILLED, 1)
        except redis.RedisError as error:
            raise ProfilesUnreachableError(f"no Redis answers at {self._place}: {error}") from None

    def _one(self, user: str, fields: Mapping[str, Any], origin: str, *, dry_run: bool) -> Changed:
        key = PREFIX + user
        for _ in range(RACES):
            with self._client.pipeline() as pipeline:
                pipeline.watch(key)  # type: ignore[no-untyped-call]
                update, changed = _update(user, profile_of(pipeline.hgetall(key)), fields, origin)  # type: ignore[arg-type]
                if dry_run or not update:
                    return changed
                pipeline.multi()
                pipeline.hset(key, mapping={name: _text(name, value) for name, value in update.items()})
                try:
                    pipeline.execute()
                except redis.WatchError:
                    continue
                return changed
        raise ProfilesUnreachableError(f"the profile of '{user}' in {self._place} changes all the time")


def _update(
    user: str, known: Mapping[str, Any] | None, given: Mapping[str, Any], origin: str
) -> tuple[dict[str, Any], Changed]:
    """(the fields to set, what is told of them)."""
    before = known or {}
    found = {name: value for name, value in imported(before, given).items() if before.get(name) != value}
    kept = [name for name in CONSENT if name in given and name in before and name not in found
            and given[name] != before[name]]  # fmt: skip
    changed = Changed(user, known is None, sorted(found), kept)
    if not found:
        return {}, changed
    origins = before.get(ORIGINS)
    said = {**(origins if isinstance(origins, dict) else {}), **dict.fromkeys(found, origin)}
    return {**found, ORIGINS: said}, changed


def _text(field: str, value: Any) -> str:
    return value if field in TEXTS and isinstance(value, str) else msgspec.json.encode(value).decode()
