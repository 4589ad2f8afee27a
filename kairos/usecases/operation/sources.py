"""`kairos source`: where events may come from, how fast, and with which keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.settings.file import SettingsError
from kairos.adapters.settings.gateway import Conf, SourcesConf, access_of
from kairos.adapters.sources.port import MAX_PRIORITY, Entry, Snapshot, key_hash, open_source_store
from kairos.adapters.sources.sql import Key, SqlSourceStore
from kairos.engine.rule.model import Source
from kairos.engine.strict_json import MAX_BYTES
from kairos.engine.topics import events_topic
from kairos.usecases.control.deeds import note
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError, NotThereError

PARTITIONS = 2
"""Of a new topic, where neither the caller nor `kafka.create_topics` says."""


class Change(msgspec.Struct, frozen=True):
    """`at`: epoch ms."""

    at: int
    by: str
    what: str


class Shown(msgspec.Struct, frozen=True):
    """One source. `keys`: names and ages, not the keys themselves. `changes`: the newest first. A rule folder has
    neither. `problems`: what in the whole store cannot be used."""

    entry: Entry
    keys: list[Key]
    changes: list[Change]
    problems: tuple[str, ...]


def list_sources(conf: SourcesConf) -> Snapshot:
    """Raises SettingsError and SourceStoreError."""
    if conf.in_database:
        with _store(conf) as store:
            return store.read()
    return open_source_store(conf.sources, access_of(conf.gateway, conf.place)).read()


def show_source(conf: SourcesConf, name: str) -> Shown:
    """Raises NotThereError, SettingsError and SourceStoreError."""
    snapshot = list_sources(conf)
    entry = snapshot.entries.get(name)
    if entry is None:
        known = ", ".join(snapshot.entries) or "none"
        raise NotThereError("\n".join([*snapshot.problems, f"there is no source '{name}'; there are {known}"]))
    if not conf.in_database:
        return Shown(entry, [], [], snapshot.problems)
    with _store(conf) as store:
        return Shown(entry, store.keys(name), [Change(*change) for change in store.changes(name)], snapshot.problems)


def put_sources(conf: SourcesConf, sources: Sequence[Source], actor: Actor, now: int) -> dict[str, bool]:
    """Adds them, or replaces their definitions; keys and limits of known ones stay. Name -> whether it is new.

    This and the following that change something are entries of the rule store's log, too, and raise NotAllowedError,
    SettingsError (the sources are those of a rule folder), SourceStoreError and RuleStoreError.
    """
    actor.need("administer")
    with _store(conf) as store:
        added = {source.name: store.put(source, actor.name) for source in sources}
    for name in added:
        note(conf.rules.store, actor, "put_source", f"source/{name}", now)
    return added


def make_topics(conf: Conf, names: Sequence[str], partitions: int | None = None) -> dict[str, bool]:
    """The topics of these sources -> whether it was made now. Raises KafkaUnreachableError: the gateway makes them
    when Kafka is back."""
    topics = [events_topic(name) for name in names]
    made = create_topics(client_options(conf.kafka), topics, partitions or conf.kafka.create_topics or PARTITIONS)
    return {topic: topic in made for topic in topics}


def switch_source(conf: SourcesConf, name: str, on: bool, actor: Actor, now: int) -> None:
    """Switches a source on or off; its definition, keys and limits stay."""
    actor.need("limit")
    with _store(conf) as store:
        store.set(name, {"enabled": on}, "switched on" if on else "switched off", actor.name)
    note(conf.rules.store, actor, "source_on" if on else "source_off", f"source/{name}", now)


class Limits(msgspec.Struct, frozen=True):
    """What is to change: UNSET stays as it is, None takes the limit away. `rate`: events a second; `max_bytes`: of one
    event; `priority`: 0 to 100, the lowest gives way first; `hmac`: where the secret is that requests are signed with,
    {"env": NAME} or {"file": PATH}."""

    rate: float | msgspec.UnsetType | None = msgspec.UNSET
    max_bytes: int | msgspec.UnsetType | None = msgspec.UNSET
    hmac: Mapping[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    priority: int | msgspec.UnsetType | None = msgspec.UNSET


def limit_source(conf: SourcesConf, name: str, limits: Limits, actor: Actor, now: int) -> str:
    """Changes the limits of a source. Returns what was changed, in the words of its history. Raises AskError."""
    actor.need("limit")
    if isinstance(limits.rate, int | float) and not 0 < limits.rate < float("inf"):
        raise AskError(f"rate {limits.rate:g}: expected a number above 0")
    if isinstance(limits.max_bytes, int) and not 1 <= limits.max_bytes <= MAX_BYTES:
        raise AskError(f"max_bytes {limits.max_bytes}: expected 1 to {MAX_BYTES}")
    if isinstance(limits.priority, int) and not 0 <= limits.priority <= MAX_PRIORITY:
        raise AskError(f"priority {limits.priority}: expected 0 to {MAX_PRIORITY}")
    changes = {key: value for key, value in msgspec.structs.asdict(limits).items() if value is not msgspec.UNSET}
    if changes.get("hmac") is not None:
        changes["hmac"] = msgspec.json.encode(changes["hmac"]).decode()
    what = ", ".join(f"{key} {'none' if value is None else value}" for key, value in changes.items())
    with _store(conf) as store:
        store.set(name, changes, what, actor.name)
    note(conf.rules.store, actor, "limit_source", f"source/{name}", now, changes)
    return what


def add_key(conf: SourcesConf, name: str, label: str, actor: Actor, now: int) -> str:
    """A new API key: this is the one time that it is told, only its hash is kept."""
    actor.need("administer")
    made = f"kairos_{secrets.token_urlsafe(32)}"
    with _store(conf) as store:
        store.add_key(name, key_hash(made), label, actor.name)
    note(conf.rules.store, actor, "add_key", f"source/{name}", now, {"hash": key_hash(made)})
    return made


def revoke_key(conf: SourcesConf, name: str, key: str, actor: Actor, now: int) -> None:
    """`key`: its id, as `show_source` has it."""
    actor.need("administer")
    with _store(conf) as store:
        store.revoke_key(name, key, actor.name)
    note(conf.rules.store, actor, "revoke_key", f"source/{name}", now, {"id": key})


@contextmanager
def _store(conf: SourcesConf) -> Iterator[SqlSourceStore]:
    if not conf.in_database:
        raise SettingsError(f"{conf.place}: its sources are those of {conf.sources}/sources.yaml: edit them there")
    store = SqlSourceStore(conf.sources)
    try:
        yield store
    finally:
        store.close()
