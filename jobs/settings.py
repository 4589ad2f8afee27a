"""The job's configuration: one YAML file, overridden key by key from the command line.

`load("conf/local.yaml", ["kafka.bootstrap=broker:9092"])` -> Settings. Text may refer to the environment as `${NAME}`
or `${NAME:-default}`; the substitution happens on values after parsing, never on the YAML text. Relative paths are
relative to the working directory. Durations are written as in the rules: `500ms 2s 10m 24h 7d`; 0s is allowed here.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


class SettingsError(Exception):
    """The configuration cannot be used; the message names the file or key, and what to do."""


class Duration(int):
    """Milliseconds."""


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
    """`lateness`: how much disorder is put right. `idle_timeout`: after this a partition without even heartbeats no
    longer holds time back; a far safety net, because an unreachable Kafka looks the same. `alignment`: how far one
    partition may run ahead of the slowest; 0s switches it off."""

    lateness: Duration = Duration(2_000)
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


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounded run: `events` is a JSON lines file, `output` the folder for decisions, deliveries and dead letters."""

    events: str
    output: str


class Kafka(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`properties` go to every Kafka client of the job (security.protocol, sasl.jaas.config, ...).

    `prefix` stands before the names of all topics that the job writes to (`events`, which it reads, should then match
    the prefixed `receipts`). `start`: where a job without checkpoint begins; `committed` falls back to the earliest.
    `exactly_once` is for the topic `decisions`: visible to readers of committed records at each checkpoint.
    `create_topics`: partitions of output topics that are missing at the start; 0: do not create.
    """

    bootstrap: str
    group: str = "kairos"
    events: str = r"events\..*|receipts"
    prefix: str = ""
    discovery: Duration = Duration(1_000)
    start: Literal["committed", "earliest", "latest"] = "committed"
    exactly_once: bool = False
    transaction_timeout: Duration = Duration(600_000)
    create_topics: int = 2
    properties: dict[str, str] = {}


class Profiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `redis` (a URL) or `file` (JSON: user -> profile); neither: every channel counts as reachable.

    `ttl` and `max_users` bound the cache of each task. `degrade`: with Redis away decide without a profile and mark the
    decision, instead of waiting.
    """

    redis: str | None = None
    file: str | None = None
    ttl: Duration = Duration(60_000)
    max_users: int = 100_000
    degrade: bool = False


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ahead`: an event further ahead of the clock is invalid (live input only). `max_runs`: open matches per activity
    and user. `regret_for`: how long a late event is judged against decisions made. `dead_letter_bytes`: longer values
    are cut in dead letters."""

    ahead: Duration = Duration(3_600_000)
    max_runs: int = 1_000
    regret_for: Duration = Duration(86_400_000)
    dead_letter_bytes: int = 65_536


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
    profiles: Profiles = Profiles()
    limits: Limits = Limits()
    rehearsal: bool = False
    flink: dict[str, str] = {}


def load(path: str | Path, overrides: Iterable[str] = ()) -> Settings:
    """Raises SettingsError for an unreadable file, an unknown key, a wrong type or an impossible combination."""
    document = _read(Path(path))
    for override in overrides:
        _override(document, override)
    _texts(document, "flink")
    _texts(document.get("kafka"), "properties")
    _check_keys(document, Settings, "", str(path))
    try:
        settings = msgspec.convert(_substitute(document), Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_readable(str(error))}") from None
    return _with_full_paths(_checked(settings, str(path)))


def uri(place: str) -> str:
    """A path or URI (Flink writes `file:/path` as well as `file:///path`) -> URI."""
    return place if re.match(r"[a-z][a-z0-9+.-]*:/", place) else Path(place).absolute().as_uri()


def _read(path: Path) -> dict[str, Any]:
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: a mapping of sections is expected")
    return document


def _override(document: dict[str, Any], override: str) -> None:
    """`section.key=value`; the value is read as a YAML value."""
    key, separator, text = override.partition("=")
    *sections, last = key.split(".") if key else [""]
    if not separator or not last:
        raise SettingsError(f"--set {override}: expected section.key=value")
    if key.startswith("flink."):
        sections, last = ["flink"], key.partition(".")[2]
    elif key.startswith("kafka.properties."):
        sections, last = ["kafka", "properties"], key.partition("properties.")[2]
    for section in sections:
        document = document.setdefault(section, {})
        if not isinstance(document, dict):
            raise SettingsError(f"--set {override}: '{section}' is not a section")
    try:
        document[last] = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise SettingsError(f"--set {override}: not a YAML value: {error}") from None


def _texts(section: Any, key: str) -> None:
    """Options handed on as they are: `true` and `8081` need no quotes."""
    options = section.get(key) if isinstance(section, dict) else None
    if isinstance(options, dict):
        section[key] = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in options.items()}


def _check_keys(document: Mapping[str, Any], shape: type[msgspec.Struct], place: str, file: str) -> None:
    hints = get_type_hints(shape)
    for key, value in document.items():
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(sorted(hints))}"
            raise SettingsError(f"{file}: unknown key '{place}{key}'; {hint}")
        section = next((t for t in (hints[key], *get_args(hints[key])) if _is_struct(t)), None)
        if section is not None and isinstance(value, dict):
            _check_keys(value, section, f"{place}{key}.", file)


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def _substitute(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _substitute(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item) for item in value]
    return _REFERENCE.sub(_environment, value) if isinstance(value, str) else value


def _environment(reference: re.Match[str]) -> str:
    name, default = reference.groups()
    value = os.environ.get(name) or default
    if value is None:
        raise SettingsError(
            f"the environment variable {name} is not set, and the configuration gives no default for it"
        )
    return value


_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def _decode(kind: type, value: Any) -> Any:
    if kind is not Duration:
        raise NotImplementedError(kind)
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a duration such as 500ms, 2s or 10m, not {value!r}")
    return Duration(int(match[1]) * _UNITS[match[2]])


def _readable(message: str) -> str:
    """msgspec's "... - at `$.kafka.group`" with the place first."""
    text, _, place = message.partition(" - at `$.")
    return f"{place.rstrip('`')}: {text}" if place else text


def _checked(settings: Settings, file: str) -> Settings:
    if (settings.files is None) == (settings.kafka is None):
        raise SettingsError(f"{file}: exactly one of the sections 'files' (bounded) and 'kafka' (live) is needed")
    if settings.profiles.redis and settings.profiles.file:
        raise SettingsError(f"{file}: profiles come from 'redis' or from 'file', not from both")
    if settings.kafka and not settings.state.checkpoints:
        raise SettingsError(f"{file}: 'state.checkpoints' is missing: a live job without checkpoints loses its state")
    if settings.files and settings.job.parallelism != 1:
        raise SettingsError(f"{file}: a bounded run has job.parallelism 1: it decides in the order of event time")
    if settings.kafka and settings.rehearsal:
        raise SettingsError(f"{file}: 'rehearsal' is for bounded runs: real users would get what nobody approved")
    if settings.job.parallelism < 1:
        raise SettingsError(f"{file}: job.parallelism must be at least 1")
    return settings


def _with_full_paths(settings: Settings) -> Settings:
    """What TaskManagers open, they must find whatever their working directory is."""
    rules, profiles = settings.rules, settings.profiles
    return msgspec.structs.replace(
        settings,
        rules=msgspec.structs.replace(rules, store=_full_store(rules.store)),
        profiles=msgspec.structs.replace(profiles, file=profiles.file and str(Path(profiles.file).absolute())),
    )


def _full_store(store: str) -> str:
    if store.startswith("sqlite:///"):
        return "sqlite:///" + str(Path(store.removeprefix("sqlite:///")).absolute())
    return store if "://" in store else str(Path(store).absolute())
