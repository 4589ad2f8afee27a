"""Ten journeys on the clickstream, live and restored between any two events: what `simulate` decides on the file."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any

import msgspec
import pytest

from harness.journeys import JOURNEYS, rules_with_journeys
from kairos.adapters.files.events import EventFile
from kairos.adapters.rules.files import read_folder
from kairos.apps.native.settings import data_folder
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.engine import Engine
from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from kairos.usecases.operation.dataset.clickstream import prepare

Profiles = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[RuleSet, list[Event], Profiles]:
    """The journeys alone: no budget of another activity is shared with what is compared."""
    prepare(data_folder() / "data")
    folder = rules_with_journeys(tmp_path_factory.mktemp("rules") / "rules")
    loaded = load(read_folder(folder))
    assert loaded.rules is not None, [finding for finding in loaded.findings if finding.level == "error"]
    events = EventFile(lambda _line, _reason, _content: None)
    with (data_folder() / "data" / "ecom.jsonl").open("rb") as stream:
        events.read(stream)
    profiles = msgspec.json.decode((data_folder() / "data" / "profiles.json").read_bytes())
    parts = {name: a for name, a in loaded.rules.activities.items() if a.part and not name.startswith("strict")}
    journeys = {name: journey for name, journey in loaded.rules.journeys.items() if name != "strict"}
    return msgspec.structs.replace(loaded.rules, activities=parts, journeys=journeys), list(events.events), profiles


def told(record: Record) -> tuple[object, ...]:
    return (record.activity, record.user_id, record.at, record.outcome, record.reason, record.occurrence)


def live(rules: RuleSet, events: list[Event], profiles: Profiles) -> list[Record]:
    """As the job: a watermark behind each event, a timer a user, and a state that is bytes between two calls."""
    settings, codec = Settings(assume_delivered=True), StateCodec(few=0)
    engine = Engine(settings, profiles.get)
    engine.adopt(compile_release(Release(1, rules), max_runs=settings.max_runs))
    states: dict[str, bytes] = {}
    timers: list[tuple[int, str]] = []
    effects: list[Effect] = []

    def keep(user: str, state: UserState) -> None:
        states[user] = codec.encode(state)
        if (due := engine.next_timer(user, state)) is not None:
            heapq.heappush(timers, (due, user))

    def fire(watermark: int) -> None:
        while timers and timers[0][0] <= watermark:
            due, user = heapq.heappop(timers)
            state = codec.decode(states[user])
            if engine.next_timer(user, state) == due:
                effects.extend(engine.on_time(user, state, due))
                keep(user, state)

    for event in sorted(events, key=lambda event: event.order):
        watermark = event.time - settings.lateness - 1
        fire(watermark)
        if engine.reads(event.type):
            state = codec.decode(states[event.user_id]) if event.user_id in states else UserState()
            effects.extend(engine.on_event(event.user_id, state, event, watermark))
            keep(event.user_id, state)
    fire(END_OF_TIME)
    records = [effect.record if isinstance(effect, Candidate) else effect for effect in effects]
    return [record for record in records if isinstance(record, Record)]


def test_restored_between_any_two_events_they_decide_as_simulate_does(
    shop: tuple[RuleSet, list[Event], Profiles],
) -> None:
    rules, events, profiles = shop
    expected = Counter(map(told, Simulation(rules, profiles).run(events)))
    assert {activity.partition(".")[0] for activity, *_ in expected} == JOURNEYS.keys() - {"strict"}
    assert Counter(map(told, live(rules, events, profiles))) == expected
