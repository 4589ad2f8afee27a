"""Where events may come from: for each source its definition, and what it is allowed. Looked at once a second.

`sources_folder` reads the rule folder's sources.yaml, `sources_sql` tables in SQLite or MySQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

import msgspec

from kairos.engine.rule.model import Source
from kairos.engine.strict_json import MAX_BYTES
from kairos.errors import KairosError

PRIORITY = 50
MAX_PRIORITY = 100
"""As of an activity: the higher is the more urgent."""


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a source may be reached. `keys`: hashes of its API keys. `hmac`: a reference to the secret that its requests
    are signed with, `{env: NAME}` or `{file: PATH}`; with it every request must be signed. With neither, nobody can
    send in its name. `rate`: events a second, None: no limit. `max_bytes` of one event. `priority`:
    0 to 100; while the gateway or Kafka is slow, the lowest are refused first."""

    keys: tuple[str, ...] = ()
    hmac: dict[str, str] | None = None
    rate: float | None = None
    max_bytes: int = MAX_BYTES
    priority: int = PRIORITY


class Entry(msgspec.Struct, frozen=True):
    source: Source
    access: Access = Access()


class Snapshot(msgspec.Struct, frozen=True):
    """What the store says now. `problems`: what in it cannot be used; for these sources the last good entry stands.
    `unusable`: sources of which this process has not seen a good entry."""

    entries: Mapping[str, Entry]
    problems: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()


class SourceStoreError(KairosError):
    """The store does not answer, or cannot do what it is asked; the message says where and what to do."""


class SourceStore(Protocol):
    def read(self) -> Snapshot:
        """Raises SourceStoreError when the store cannot be reached."""
        ...


def key_hash(key: str) -> str:
    """What is kept of an API key. Keys are long random texts, so a plain hash gives nothing away."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def open_source_store(where: str, access: Mapping[str, Access]) -> SourceStore:
    """A database address, or the path of a rule folder, whose sources are reached as `access` says."""
    if "://" in where:
        from kairos.adapters.sources.sql import SqlSourceStore  # not every command needs SQLAlchemy

        return SqlSourceStore(where)
    from kairos.adapters.sources.folder import FolderSourceStore

    return FolderSourceStore(where, access)
