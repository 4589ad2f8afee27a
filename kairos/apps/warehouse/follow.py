"""`kairos warehouse load --follow` as a process: what the configuration says, signals, and what is told."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kairos.adapters.kafka.topics import check_kafka
from kairos.adapters.profiles.file import Profiles, read_profiles
from kairos.adapters.profiles.redis import all_profiles
from kairos.adapters.rules.store import RuleStoreError, last_good, open_rule_store
from kairos.adapters.search.opening import open_search
from kairos.adapters.settings import people
from kairos.adapters.settings.file import SettingsError, convert, full_store, read, substitute
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.adapters.settings.warehouse import Warehouse, load
from kairos.adapters.warehouse.feed import KafkaFeed
from kairos.apps.logs import Trouble
from kairos.apps.process import on_stop
from kairos.apps.status.server import serving
from kairos.apps.warehouse.told import Told
from kairos.engine.rule.model import RuleSet
from kairos.engine.topics import DECISIONS
from kairos.usecases.warehouse.follow import Broken, Rhythm, Surroundings, Tell, follow

WAIT_SECONDS = 1.0

log = logging.getLogger(__name__)


def run(
    conf: Path,
    overrides: Iterable[str],
    into: Path | None,
    tell: Tell,
    broken: Broken,
    *,
    until_now: bool,
    status: str | None = None,
) -> None:
    """Until SIGTERM or SIGINT. `status`: where it tells of itself.

    Raises SettingsError, KafkaUnreachableError, and what `follow` raises.
    """
    overrides = list(overrides)
    settings = load(conf, overrides)
    document = substitute(read(conf, overrides))
    kafka = document.get("kafka")
    if settings is None or kafka is None:
        raise SettingsError(f"{conf}: sections 'kafka' and 'warehouse' are needed, with 'bootstrap' and 'folder'")
    address = convert(kafka, KafkaAddress, conf)
    check_kafka(address.bootstrap)
    found_by = people.load(conf, overrides).search.store
    search = open_search(found_by) if found_by is not None else None
    stopped = threading.Event()
    on_stop(stopped.set)

    def waits(why: str) -> bool:
        told.health.waits(why)
        return not until_now and not stopped.wait(WAIT_SECONDS)

    feed = KafkaFeed(address, settings.group, [address.reads, re.escape(address.prefix + DECISIONS)])
    told = Told(tell, broken)
    try:
        with serving(status, told.metrics, told.health):
            follow(
                told.watched(feed),
                into or Path(settings.folder),
                surroundings_of(document, waits),
                rhythm_of(settings),
                stop=stopped.is_set,
                tell=told.tell,
                broken=told.broken,
                until_now=until_now,
                search=search,
            )
    except RuleStoreError:
        if not stopped.is_set():  # else there was nobody to wait for any more
            raise
    finally:
        feed.close()
        if search is not None:
            search.close()


def rhythm_of(settings: Warehouse) -> Rhythm:
    seconds = settings.interval / 1000
    return Rhythm(time.monotonic, seconds, settings.rows, settings.world / 1000, settings.keep)


def surroundings_of(document: dict[str, Any], waits: Callable[[str], bool] = lambda _why: False) -> Surroundings:
    """A store that is away leaves the newest release in use; it is said once. `waits`: hears why there is none yet, and
    says whether to ask again."""
    store = open_rule_store(full_store(str(document.get("rules", {}).get("store", "rules"))))
    newest: list[RuleSet] = []
    number, trouble = 0, Trouble(log)

    def look() -> RuleSet:
        nonlocal number
        release = last_good(store, number, lambda error: log.warning("%s", error))
        if release is not None:
            number, newest[:] = release.number, [release.rules]
        if not newest:
            raise RuleStoreError("the rule store has no release, so nobody can say what a decision means")
        return newest[0]

    def rules() -> RuleSet:
        while True:
            try:
                found = look()
                trouble.goes()
                return found
            except RuleStoreError as error:
                trouble.comes(error)
                if newest:
                    return newest[0]
                if not waits(str(error)):
                    raise

    return Surroundings(rules, _profiles(document.get("profiles", {})), document.get("delivery", {}).get("store"))


def _profiles(section: dict[str, Any]) -> Callable[[], Profiles] | None:
    redis, file = section.get("redis"), section.get("file")
    if redis:
        return lambda: all_profiles(redis)
    return (lambda: read_profiles(Path(file), lambda _problem: None)) if file else None
