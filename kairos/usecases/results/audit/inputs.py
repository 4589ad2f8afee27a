"""Where an audit finds what it judges: in the folder of a run on files, or on Kafka and in databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.coupons.opening import open_store
from kairos.adapters.coupons.port import CouponStore
from kairos.adapters.delivery.ledger_reader import LedgerReader, open_ledger_reader
from kairos.adapters.files.run_folder import Origin
from kairos.adapters.output.decision_log import DecisionLog, FolderLog
from kairos.adapters.output.decision_log_kafka import KafkaLog
from kairos.adapters.profiles.ahead import RedisProfiles
from kairos.adapters.profiles.file import ProfileFileError, read_profiles
from kairos.adapters.profiles.opening import check_profiles
from kairos.adapters.profiles.redis import ProfilesUnreachableError, connect
from kairos.adapters.rules.history import read_releases
from kairos.adapters.settings.delivery import RESENDING, Conf, load
from kairos.adapters.settings.file import convert, read, substitute
from kairos.engine.profile.port import Degraded
from kairos.engine.rule.reads.needs import Needs
from kairos.engine.rule.release import Release
from kairos.usecases.control.verify import Verified, verify
from kairos.usecases.errors import AskError, InputError
from kairos.usecases.results.audit.world import Kept

LEDGER = "delivery.db"
"""The ledger of a run on files, in its output folder."""
_REMEMBERED = 4_096

Profile = Callable[[str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Given:
    """What is known beside decisions and ledger; as in `World`."""

    releases: Sequence[Release]
    profile: Profile
    resends: Callable[[str], bool]
    now: int | None
    log: Verified | None = None
    coupons: Mapping[str, Kept] | None = None


@dataclass(frozen=True)
class Asked:
    """What is to be judged. `folder`: of a run; None: what `conf` says is live. `conf` None: there is none.

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


def read_conf(path: Path, overrides: Sequence[str] = ()) -> Conf:
    """As workers read it; but a run on files needs no section `delivery`. Raises SettingsError."""
    document = read(path, overrides)
    if "kafka" in document or "delivery" in document:
        return load(path, overrides)
    return convert({**document, "delivery": {"store": ""}, "place": str(path)}, Conf, path)


def conf_of(origin: Origin) -> Conf:
    """What a run was made with, from whatever working directory. Raises SettingsError."""
    path, base = Path(origin.conf), Path(origin.cwd)
    conf = read_conf(path, origin.overrides)
    document = substitute(read(path, origin.overrides))
    store = str((document.get("rules") or {}).get("store", "rules"))
    file = conf.profiles.file and str(base / conf.profiles.file)
    rules = msgspec.structs.replace(conf.rules, store=store if "://" in store else str(base / store))
    profiles = msgspec.structs.replace(conf.profiles, file=file)
    return msgspec.structs.replace(conf, rules=rules, profiles=profiles)


@contextmanager
def open_inputs(asked: Asked) -> Iterator[Inputs]:
    """Raises DecisionLogError, LedgerReaderError, RunFolderError, RuleStoreError, SettingsError,
    ProfilesUnreachableError and InputError, also from within, where reading goes wrong."""
    try:
        with _log(asked) as log, open_ledger_reader(_ledger(asked)) as ledger, _profiles(asked) as profile:
            store = asked.rules or (asked.conf.rules.store if asked.conf else "rules")
            places = {"decisions": log.place, "ledger": ledger.place, "rules": store}
            yield Inputs(log, ledger, _given(asked, store, profile), places)
    except ProfilesUnreachableError as error:
        raise ProfilesUnreachableError(f"profiles: {error}") from None
    except OSError as error:
        raise InputError("", str(error.filename or "input"), str(error.strerror or error)) from None


@contextmanager
def _log(asked: Asked) -> Iterator[DecisionLog]:
    if asked.folder is not None:
        yield FolderLog(asked.folder)
        return
    if asked.conf is None or asked.conf.kafka is None:
        raise AskError("neither the folder of a run nor a configuration with a section 'kafka' was given")
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
    now, coupons = None if over else asked.now, _coupons(asked, releases)
    return Given(releases, profile, _resends(asked.conf), now, verify(store), coupons)


def _coupons(asked: Asked, releases: Sequence[Release]) -> dict[str, Kept] | None:
    """What lies in the pools of the newest release; of a run on files nobody has kept it. Raises CouponStoreError."""
    place = asked.conf.codes if asked.conf is not None and asked.folder is None else None
    pools = releases[-1].rules.coupons if releases else {}
    if place is None or not pools:
        return None
    store = open_store(place.redis, place.file)
    try:
        return {name: _kept(store, name) for name in pools}
    finally:
        store.close()


def _kept(store: CouponStore, pool: str) -> Kept:
    contents = store.contents(pool)
    return Kept(contents.known, len(contents.free), contents.held)


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
            raise InputError("the profiles", str(file), str(error)) from None
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
