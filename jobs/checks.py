"""What must be there before a job starts: each check names what is missing, and where it was looked for."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from jobs.inputs import declared
from jobs.settings import Kafka, Settings
from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.topics import KafkaUnreachableError, check_kafka, create_topics
from kairos.adapters.profiles.opening import check_profiles
from kairos.adapters.profiles.redis import ProfilesUnreachableError
from kairos.adapters.rules.store import BrokenReleaseError, RuleStoreError, last_good, open_rule_store
from kairos.adapters.settings.file import SettingsError
from kairos.adapters.sources.port import SourceStoreError, open_source_store
from kairos.engine.channel import CHANNELS
from kairos.engine.engine import Engine
from kairos.engine.event import KAIROS
from kairos.engine.play.simulate import as_if_live
from kairos.engine.rule.changes.switch import Switches
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings as EngineSettings
from kairos.engine.topics import DEAD_LETTERS, DECISIONS, RECEIPTS, deliveries_topic, events_topic
from operators.registry import Sources

OUTPUTS = (DECISIONS, DEAD_LETTERS, RECEIPTS, *map(deliveries_topic, CHANNELS))


class StartError(Exception):
    """The job cannot start: what is missing, where, and what to do."""


def check(settings: Settings) -> None:
    """Raises StartError for the first thing that is not there."""
    if settings.files and not Path(settings.files.events).is_file():
        raise StartError(f"files.events: there is no file {settings.files.events}")
    if settings.kafka:
        _check_kafka(settings.kafka)
    try:
        check_profiles(settings.profiles.redis, settings.profiles.file)
    except ProfilesUnreachableError as error:
        raise StartError(f"profiles: {error}") from None


def _check_kafka(kafka: Kafka) -> None:
    try:
        check_kafka(kafka.bootstrap)
        if kafka.create_topics:
            topics = [events_topic(KAIROS), *(kafka.prefix + topic for topic in OUTPUTS)]
            create_topics(client_options(kafka), topics, kafka.create_topics)
    except SettingsError as error:
        raise StartError(str(error)) from None
    except KafkaUnreachableError as error:
        raise StartError(f"kafka.bootstrap: {error}; start it (`make up`) or set kafka.bootstrap") from None


def _tell(error: BrokenReleaseError) -> None:
    sys.stderr.write(f"kairos: {error}; the one before is used\n")


def first_release(settings: Settings) -> Release:
    """The release current now, which the job carries with it. Raises StartError."""
    place = settings.rules.store
    try:
        release = last_good(open_rule_store(place), heard=_tell)
    except RuleStoreError as error:
        raise StartError(f"rules.store: {error}") from None
    if release is None:
        raise StartError(f"rules.store: {place} holds no release yet; `kairos publish` writes one")
    if settings.rehearsal:
        release = msgspec.structs.replace(release, rules=as_if_live(release.rules))
    try:
        compile_release(release, max_runs=settings.limits.max_runs, script=Engine(EngineSettings()).script)
    except Exception as error:  # a release in a database may be anything
        raise StartError(f"rules.store: release {release.number} in {place} cannot be used: {error}") from None
    return release


def first_switches(settings: Settings) -> Switches:
    """As they stand now; a bounded run plays what was before anybody turned one. Raises StartError."""
    if settings.files:
        return Switches()
    try:
        return ActivityStates(Control(settings.rules.store)).read()
    except RuleStoreError as error:
        raise StartError(f"rules.store: {error}") from None


def first_sources(settings: Settings) -> Sources | None:
    """What their store has now; None: none is configured. Raises StartError."""
    if settings.sources.store is None:
        return None
    try:
        return declared(open_source_store(settings.sources.store, {}).read())
    except SourceStoreError as error:
        raise StartError(f"sources.store: {error}") from None
