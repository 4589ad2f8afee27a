"""The job's configuration: one YAML file, overridden key by key from the command line.

`load("conf/local.yaml", ["kafka.bootstrap=broker:9092"])` -> Settings. Relative paths are relative to the working
directory. `kairos.adapters.settings.file` says how values are written. The sections
`delivery`, `gateway`, `bridge`, `warehouse`, `search` and `alarms` are those processes' own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from kairos.adapters.settings.coupons import Coupons
from kairos.adapters.settings.file import Duration, SettingsError, convert, full_store, read
from kairos.adapters.settings.kafka import KafkaAddress

__all__ = ["Duration", "Settings", "SettingsError", "load", "uri"]


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`mode: process` isolates Python from the JVM at a tenth of the speed; savepoints do not cross modes.

    `jars` (paths or globs) are added to the job outside `flink run`, where the CLI ships them. `heap` is the JVM's when
    the mini-cluster runs in this process.
    """

    name: str = "kairos"
    mode: Literal["thread", "process"] = "thread"
    parallelism: int = 1
    jars: list[str] = []
    heap: str = "1g"
    log_dir: str = ".kairos/log"


class Time(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`lateness`: how much disorder is put right. `patience`: how long a deadline waits that an event brought to light
    only after it had passed. `idle_timeout`: after this a partition without even heartbeats no longer holds time back;
    a far safety net, because an unreachable Kafka looks the same. `alignment`: how far one partition may run ahead of
    the slowest; 0s switches it off."""

    lateness: Duration = Duration(2_000)
    patience: Duration = Duration(2_000)
    watermark_interval: Duration = Duration(100)
    idle_timeout: Duration = Duration(300_000)
    alignment: Duration = Duration(60_000)


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`backend: rocksdb` for more state than fits into memory. `checkpoints` and `savepoints` are folders or
    file-system URIs that every TaskManager reaches; None: no checkpoints (bounded runs only)."""

    backend: Literal["hashmap", "rocksdb"] = "hashmap"
    checkpoints: str | None = None
    savepoints: str | None = None
    interval: Duration = Duration(10_000)
    timeout: Duration = Duration(60_000)
    tolerated_failures: int = 100
    retained: int = 3


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`store`: a rule folder, or an SQLAlchemy URL of a rule store (`sqlite:///...`, `mysql+pymysql://...`)."""

    store: str = "rules"
    poll: Duration = Duration(1_000)


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`store`: an SQLAlchemy URL of what `kairos source` writes, asked as often as the rules are; None: each release
    brings its sources.yaml along."""

    store: str | None = None


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounded run: `events` is a JSON lines file, `output` the folder for decisions, deliveries and dead letters."""

    events: str
    output: str


class Kafka(KafkaAddress, frozen=True, forbid_unknown_fields=True):
    """`properties` go to every Kafka client of the job (security.protocol, sasl.jaas.config, ...).

    `prefix` stands before the names of all topics that the job writes to. `events`: pattern of those that it reads.
    `start`: where a job without checkpoint begins; `committed` falls back to the earliest.
    `exactly_once` is for the topic `decisions`: visible to readers of committed records at each checkpoint.
    `create_topics`: partitions of output topics that are missing at the start; 0: do not create.
    """

    group: str = "kairos"
    discovery: Duration = Duration(1_000)
    start: Literal["committed", "earliest", "latest"] = "committed"
    exactly_once: bool = False
    transaction_timeout: Duration = Duration(600_000)


class Profiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `redis` (a URL) or `file` (JSON: user -> profile); neither: every channel counts as reachable.

    `crowds`: beside a `file`, the snapshots of kept crowds that `kairos crowds build` has put into its warehouse
    (`.crowds/live.db`). `ttl` and `max_users` bound the cache of each task. `degrade`: with Redis away decide without a
    profile and mark the decision, instead of waiting.
    """

    redis: str | None = None
    file: str | None = None
    crowds: str | None = None
    ttl: Duration = Duration(60_000)
    max_users: int = 100_000
    degrade: bool = False


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ahead`: an event further ahead of the clock is invalid (live input only). `max_runs`: open matches per activity
    and user; `match_bytes`: what one of them holds; `user_bytes`: what is kept of a user, and as much may wait for the
    watermark. `regret_for`: how long a late event is judged against decisions made. `dead_letter_bytes`: longer values
    are cut in dead letters."""

    ahead: Duration = Duration(3_600_000)
    max_runs: int = 1_000
    match_bytes: int = 1_000_000
    user_bytes: int = 4_000_000
    regret_for: Duration = Duration(86_400_000)
    dead_letter_bytes: int = 65_536


class Lease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`store`: an SQLAlchemy URL of the database that says which engine may decide; None: that of `delivery`, if the
    configuration has one."""

    store: str | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of `files` and `kafka` is the input and output. `flink`: further Flink options, as they are.

    `rehearsal`: drafts and approved activities run as if live (bounded runs).
    """

    files: Files | None = None
    kafka: Kafka | None = None
    job: Job = Job()
    time: Time = Time()
    state: State = State()
    rules: Rules = Rules()
    sources: Sources = Sources()
    profiles: Profiles = Profiles()
    coupons: Coupons = Coupons()
    limits: Limits = Limits()
    lease: Lease = Lease()
    rehearsal: bool = False
    flink: dict[str, str] = {}

    @property
    def codes(self) -> Coupons | None:
        """Where those of coupons are; None: nowhere."""
        return self.coupons.beside(self.profiles.redis)


OTHERS = ("delivery", "gateway", "bridge", "warehouse", "search", "alarms", "api")
"""Sections of the one configuration which are for other processes."""


def load(path: str | Path, overrides: Iterable[str] = ()) -> Settings:
    """Raises SettingsError for an unreadable file, an unknown key, a wrong type or an impossible combination."""
    document = read(Path(path), overrides)
    _share_lease(document)
    for other in OTHERS:
        document.pop(other, None)
    return _with_full_paths(_checked(convert(document, Settings, Path(path)), str(path)))


def load_job(path: str | Path, overrides: Iterable[str] = ()) -> Settings:
    """For a job with its own input and output: only the sections `job` and `flink` count. Raises SettingsError."""
    document = read(Path(path), overrides)
    settings = convert({name: document[name] for name in ("job", "flink") if name in document}, Settings, Path(path))
    if settings.job.parallelism < 1:
        raise SettingsError(f"{path}: job.parallelism must be at least 1")
    return settings


def _share_lease(document: dict[str, Any]) -> None:
    """Workers look into the database of deliveries: the lease is there, unless another place is named."""
    delivery, lease = document.get("delivery"), document.setdefault("lease", {})
    if isinstance(delivery, dict) and isinstance(lease, dict) and "store" in delivery:
        lease.setdefault("store", delivery["store"])


def uri(place: str) -> str:
    """A path or URI (Flink writes `file:/path` as well as `file:///path`) -> URI."""
    return place if re.match(r"[a-z][a-z0-9+.-]*:/", place) else Path(place).absolute().as_uri()


def _checked(settings: Settings, file: str) -> Settings:
    if (settings.files is None) == (settings.kafka is None):
        raise SettingsError(f"{file}: exactly one of the sections 'files' (bounded) and 'kafka' (live) is needed")
    if settings.profiles.redis and settings.profiles.file:
        raise SettingsError(f"{file}: profiles come from 'redis' or from 'file', not from both")
    if settings.coupons.redis and settings.coupons.file:
        raise SettingsError(f"{file}: coupons are kept in 'redis' or in 'file', not in both")
    if settings.kafka and not settings.state.checkpoints:
        raise SettingsError(f"{file}: 'state.checkpoints' is missing: a live job without checkpoints loses its state")
    if settings.files and settings.job.parallelism != 1:
        raise SettingsError(f"{file}: a bounded run has job.parallelism 1: it decides in the order of event time")
    if settings.kafka and settings.rehearsal:
        raise SettingsError(f"{file}: 'rehearsal' is for bounded runs: real users would get what nobody approved")
    if settings.sources.store is not None and "://" not in settings.sources.store:
        raise SettingsError(f"{file}: sources.store must be the address of a database: a folder's come with its rules")
    if settings.job.parallelism < 1:
        raise SettingsError(f"{file}: job.parallelism must be at least 1")
    return settings


def _with_full_paths(settings: Settings) -> Settings:
    """What TaskManagers open, they must find whatever their working directory is."""
    rules, sources, profiles = settings.rules, settings.sources, settings.profiles
    return msgspec.structs.replace(
        settings,
        rules=msgspec.structs.replace(rules, store=full_store(rules.store)),
        sources=Sources(sources.store and full_store(sources.store)),
        lease=Lease(settings.lease.store and full_store(settings.lease.store)),
        coupons=Coupons(settings.coupons.redis, _full(settings.coupons.file)),
        profiles=msgspec.structs.replace(profiles, file=_full(profiles.file), crowds=_full(profiles.crowds)),
    )


def _full(path: str | None) -> str | None:
    return path and str(Path(path).absolute())
