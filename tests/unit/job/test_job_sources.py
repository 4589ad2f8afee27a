"""Sources that change while the job runs: found in their store, announced, in force, and after a restore."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sql

from jobs.checks import StartError, first_sources
from jobs.inputs import open_registry
from jobs.settings import Kafka, Settings, SettingsError, State, load
from jobs.settings import Sources as SourcesSettings
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.adapters.sources.tables import SOURCES
from kairos.engine.event import EventError
from kairos.engine.rule.model import EventSchema, RuleSet, Source
from kairos.engine.rule.release import Release
from operators.contract import Contract
from operators.registry import FoundSources, LookUp, Sources, SourceWatch
from operators.rulebook import Rulebook
from operators.rules import PollRules, Shipped, keep_releases
from operators.telemetry import Telemetry
from tests.engine_kit import engine_of, rules
from tests.unit.job.test_job_rules import Context, Store
from tests.unit.job.test_job_rules import State as Broadcast

T = 1_763_778_000_000
SHOP = Source("shop", {"order": EventSchema({"amount": "number"})})
OFF = msgspec.structs.replace(SHOP, enabled=False)
STRICT = Source("shop", {"order": EventSchema({"amount": "number"}, ("amount",))})
APP = Source("app", {"view": EventSchema({})})
FIRST = Release(1, rules("activity: greeting\ntrigger: {event: order}\n"))


def named(*sources: Source) -> Sources:
    return {source.name: source for source in sources}


class Job:
    """What one task does with what is announced."""

    def __init__(self, sources: Sources | None, state: Broadcast, submitted: int = 100) -> None:
        self.shipped = msgspec.msgpack.encode(Shipped(FIRST, submitted, sources))
        self.state = state
        self.intake = Contract(None, 0)
        self.context = Context()
        self.book = Rulebook(self.shipped, engine_of(RuleSet()), self.intake, None, Telemetry(self.context))  # type: ignore[arg-type]

    def hear(self, *announced: bytes) -> None:
        for value in announced:
            self.book.hear(value, self.state)  # type: ignore[arg-type]

    def start(self) -> Job:
        """The first tick of the poller, whose stores have nothing new."""
        poller = PollRules(lambda: Store(None), None, None, self.shipped, lambda: 0.2)
        poller.open(Context())  # type: ignore[arg-type]
        self.hear(*poller.flat_map(None))
        return self

    def takes(self, source: str, kind: str, **props: object) -> str:
        """ "", or why an event is refused."""
        if not self.book.number:
            self.book.recall(self.state)  # type: ignore[arg-type]
        line = {"id": "e1", "type": kind, "user_id": "u1", "time": T, "source": source, "props": props}
        try:
            self.intake.accept("u1", msgspec.json.encode(line), T)
        except EventError as error:
            return error.reason
        return ""


def found(*sources: Source, unusable: Sequence[str] = ()) -> bytes:
    return msgspec.msgpack.encode(FoundSources(named(*sources), tuple(unusable)))


def test_a_change_is_in_force_when_it_was_heard() -> None:
    job = Job(named(SHOP), Broadcast()).start()
    assert (job.takes("shop", "order"), job.takes("app", "view")) == ("", "unknown_source")
    job.hear(found(SHOP, APP))
    assert job.takes("app", "view") == ""
    job.hear(found(STRICT, APP))
    assert (job.takes("shop", "order"), job.takes("shop", "order", amount=3)) == ("missing_prop", "")
    job.hear(found(OFF, APP))
    assert job.takes("shop", "order", amount=3) == "disabled_source"
    job.hear(found(APP))
    assert job.takes("shop", "order", amount=3) == "unknown_source"
    assert job.context.counted["sources.adopted"] == 4


def test_a_release_does_not_bring_sources_where_they_have_a_store() -> None:
    theirs = msgspec.structs.replace(FIRST.rules, sources=named(APP))
    job = Job(named(SHOP), Broadcast()).start()
    poller = PollRules(lambda: Store(Release(2, theirs, 10)), None, None, job.shipped, lambda: 0.2)
    poller.open(Context())  # type: ignore[arg-type]
    job.hear(*poller.flat_map(None))
    assert job.book.number == 2
    assert (job.takes("shop", "order"), job.takes("app", "view")) == ("", "unknown_source")


def test_without_a_store_the_release_s_hold_whatever_an_older_submission_knew() -> None:
    state = Broadcast()
    Job(named(SHOP), state).start().hear(found(APP))
    job = Job(None, state, submitted=200).start()
    job.hear(found(APP))
    assert (job.takes("anything", "order"), job.context.counted["sources.adopted"]) == ("", 0)


def test_after_a_failure_what_was_heard_last_is_in_force() -> None:
    state = Broadcast()
    Job(named(SHOP), state).start().hear(found(SHOP, APP))
    assert Job(named(SHOP), state).takes("app", "view") == ""


def test_a_new_submission_goes_before_what_the_state_knows_and_stays() -> None:
    state = Broadcast()
    Job(named(SHOP), state).start().hear(found(APP))
    resumed = Job(named(SHOP), state, submitted=200)
    assert (resumed.takes("shop", "order"), resumed.takes("app", "view")) == ("", "unknown_source")
    resumed.start()
    assert Job(named(SHOP), state, submitted=200).takes("app", "view") == "unknown_source"


def test_a_savepoint_from_before_there_was_a_registry() -> None:
    state = Broadcast()
    keep_releases([FIRST], 100, state)
    assert Job(named(SHOP), state, submitted=200).takes("app", "view") == "unknown_source"
    assert Job(None, state, submitted=200).takes("app", "view") == ""


def test_what_the_store_cannot_read_after_a_restart_stays_as_the_job_knows_it() -> None:
    job = Job(named(SHOP), Broadcast()).start()
    job.hear(found(APP, unusable=["shop", "never_seen"]))
    assert (job.takes("shop", "order"), job.takes("app", "view")) == ("", "")
    assert job.takes("never_seen", "view") == "unknown_source"


def test_an_announcement_that_is_none_is_refused() -> None:
    job = Job(named(SHOP), Broadcast()).start()
    job.hear(b"\xc1", msgspec.msgpack.encode({"type": "sources", "sources": 3}))
    assert (job.takes("shop", "order"), job.context.counted["rules.refused"]) == ("", 2)


# ------------------------------------------------------------------------------------------------ looked up


def watching(look_up: LookUp, ticks: int) -> tuple[list[list[FoundSources]], dict[str, int]]:
    context = Context()
    watch = SourceWatch(look_up, Telemetry(context))  # type: ignore[arg-type]
    decode = msgspec.msgpack.Decoder(FoundSources).decode
    return [[decode(value) for value in watch.look()] for _ in range(ticks)], dict(context.counted)


def test_only_changes_are_announced_and_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    first, second = FoundSources(named(SHOP)), FoundSources(named(OFF))
    answers = [(first, ()), (first, ("bad row",)), OSError("away"), OSError("away"), (second, ("bad row",))]

    def look_up() -> tuple[FoundSources, Sequence[str]]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with caplog.at_level(logging.ERROR):
        announced, counted = watching(look_up, 5)
    assert announced == [[first], [], [], [], [second]]
    assert counted == {"sources.found": 2, "sources.refused": 4}
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == ["bad row", "away", "bad row"]


def test_rows_of_a_database(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/control.db"
    people = SqlSourceStore(address)
    people.put(SHOP, "ann")
    people.put(APP, "ann")
    with sql.create_engine(address).begin() as connection:
        connection.execute(SOURCES.update().where(SOURCES.c.name == "app").values(definition="app: {evnets: {}}"))
    known, problems = open_registry(address)()
    assert (known, len(problems)) == (FoundSources(named(SHOP), ("app",)), 1)
    people.set("shop", {"enabled": False}, "switched off", "ann")
    assert open_registry(address)()[0].sources == named(OFF)


def job_settings(store: str | None) -> Settings:
    return Settings(kafka=Kafka("b:1"), state=State(checkpoints="/c"), sources=SourcesSettings(store))


def test_a_start_takes_along_what_the_store_has(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/control.db"
    SqlSourceStore(address).put(SHOP, "ann")
    assert first_sources(job_settings(address)) == named(SHOP)
    assert first_sources(job_settings(None)) is None
    with pytest.raises(StartError, match=r"sources\.store: the store of sources .* does not answer"):
        first_sources(job_settings("mysql+pymysql://u:secret@127.0.0.1:1/d"))


def test_a_folder_is_no_store_of_sources(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("kafka: {bootstrap: 'b:1'}\nstate: {checkpoints: /c}\nsources: {store: rules}\n")
    with pytest.raises(SettingsError, match="must be the address of a database"):
        load(file)
