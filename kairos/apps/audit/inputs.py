"""Where an audit finds what it judges: in the folder of a run on files, or on Kafka and in databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.decision_log import DecisionLog, DecisionLogError, FolderLog
from kairos.adapters.decision_log_kafka import KafkaLog
from kairos.adapters.ledger_reader import LedgerReader, LedgerReaderError, open_ledger_reader
from kairos.adapters.profile_file import ProfileFileError, read_profiles
from kairos.adapters.profiles import ProfilesUnreachableError, RedisProfiles, check_profiles, connect
from kairos.adapters.rule_history import read_releases
from kairos.adapters.rule_store import RuleStoreError
from kairos.adapters.run_folder import RunFolderError
from kairos.adapters.settings_file import SettingsError, convert, read
from kairos.apps.audit.audit import Given
from kairos.apps.delivery.settings import RESENDING, Conf, load
from kairos.engine.moment import Degraded
from kairos.engine.rule.needs import Needs

LEDGER = "delivery.db"
"""The ledger of a run on files, in its output folder."""
_REMEMBERED = 4_096

Profile = Callable[[str], Mapping[str, Any] | None]


class InputError(Exception):
    """Something that the audit needs cannot be read; the message says what, where and why."""


@dataclass(frozen=True)
class Asked:
    """What the command was told. `folder`: of a run; None: what `conf` says is live. `conf` None: there is none.

    `rules`, `profiles` go before the configuration's. `now`: epoch ms. `settled`: nothing is under way any more.
    """

    folder: Path | None
    conf: Conf | None
    rules: str | None
    profiles: Path | None
    now: int
    settled: bool = False


@dataclass(frozen=True)
class Inputs:
    """`places`: what is read -> where it is."""

    log: DecisionLog
    ledger: LedgerReader
    given: Given
    places: Mapping[str, str]


def read_conf(path: Path) -> Conf:
    """As workers read it; but a run on files needs no section `delivery`. Raises SettingsError."""
    document = read(path)
    if "kafka" in document or "delivery" in document:
        return load(path)
    return convert({**document, "delivery": {"store": ""}, "place": str(path)}, Conf, path)


@contextmanager
def open_inputs(asked: Asked) -> Iterator[Inputs]:
    """Raises InputError, also from within, where reading goes wrong."""
    try:
        with _log(asked) as log, open_ledger_reader(_ledger(asked)) as ledger, _profiles(asked) as profile:
            store = asked.rules or (asked.conf.rules.store if asked.conf else "rules")
            places = {"decisions": log.place, "ledger": ledger.place, "rules": store}
            yield Inputs(log, ledger, _given(asked, store, profile), places)
    except (DecisionLogError, LedgerReaderError, RunFolderError, RuleStoreError, SettingsError) as error:
        raise InputError(str(error)) from None
    except ProfilesUnreachableError as error:
        raise InputError(f"profiles: {error}") from None
    except OSError as error:
        raise InputError(f"{error.filename or 'input'}: {error.strerror or error}") from None


@contextmanager
def _log(asked: Asked) -> Iterator[DecisionLog]:
    if asked.folder is not None:
        yield FolderLog(asked.folder)
        return
    if asked.conf is None or asked.conf.kafka is None:
        raise InputError("neither the folder of a run nor a configuration with a section 'kafka' was given")
    log = KafkaLog(asked.conf.kafka)
    try:
        yield log
    finally:
        log.close()


def _ledger(asked: Asked) -> str:
    if asked.folder is not None:
        return f"sqlite:///{asked.folder / LEDGER}"
    return asked.conf.delivery.store if asked.conf else ""


def _given(asked: Asked, store: str, profile: Profile) -> Given:
    releases = read_releases(store)
    if asked.folder is not None:  # a run on files is decided as a whole under the newest
        releases = [msgspec.structs.replace(releases[-1], effective_at=0)]
    over = asked.settled or asked.folder is not None
    return Given(releases, profile, _resends(asked.conf), None if over else asked.now)


def _resends(conf: Conf | None) -> Callable[[str], bool]:
    named = {} if conf is None else {name: conf.channel(name).policy(name).resend for name in conf.delivery.channels}
    return lambda channel: named.get(channel, channel in RESENDING)


@contextmanager
def _profiles(asked: Asked) -> Iterator[Profile]:
    """Users as they are known now; without any source nobody has a zone or is on a list."""
    wanted = asked.conf.profiles if asked.conf else None
    file = asked.profiles or (Path(wanted.file) if wanted and wanted.file else None)
    if file is not None:
        try:
            yield read_profiles(file, lambda _problem: None).get
        except ProfileFileError as error:
            raise InputError(f"the profiles {file}: {error}") from None
    elif wanted and wanted.redis:
        check_profiles(wanted.redis, None)
        users = RedisProfiles(connect(wanted.redis), 60.0, 1, lambda _name: None, degrade=True)
        users.need(Needs(None, lists=frozenset({"white"})))
        try:
            yield lru_cache(_REMEMBERED)(_reachable(users))
        finally:
            users.close()
    else:
        yield lambda _user: None


def _reachable(users: RedisProfiles) -> Profile:
    def get(user: str) -> Mapping[str, Any] | None:
        profile = users.get(user)
        if isinstance(profile, Degraded):
            raise ProfilesUnreachableError("Redis stopped answering")
        return profile

    return get
