"""What is kept of one user is bounded in bytes, and what goes is told."""

from __future__ import annotations

import pytest

from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.metric.key import MOST_CHARACTERS, value_key
from kairos.engine.play.explain import Story
from kairos.engine.play.simulate import Simulation
from kairos.engine.settings import Settings
from kairos.engine.size import size_of
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, MINUTE, rules, tell

PAIRED = """activity: a
trigger:
  pattern: [{event: order, as: order}, {event: pay, where: n == order.n}]
  within: 7d
data: {text: order.text}
"""
PER = PAIRED.replace("  pattern", "  per: n\n  pattern").replace(", where: n == order.n", "")
SETTINGS = Settings(assume_delivered=True, match_bytes=100_000, user_bytes=400_000)


def order(number: int, size: int = 30_000) -> Event:
    return Event(f"o{number}", "order", BASE + number * MINUTE, "", {"n": number, "text": "x" * size}, "u1")


def pay(number: int, at: int) -> Event:
    return Event(f"p{number}", "pay", BASE + at * MINUTE, "", {"n": number}, "u1")


def simulate(text: str, given: list[Event], **files: str) -> tuple[Simulation, list[Record]]:
    simulation = Simulation(rules(text, **files), settings=SETTINGS)
    return simulation, list(simulation.run(given))


def state_of(simulation: Simulation) -> UserState:
    return simulation.users["u1"]


@pytest.mark.parametrize("text", [PAIRED, PER])
def test_the_oldest_open_matches_go_first_and_are_counted(text: str) -> None:
    simulation, records = simulate(text, [*map(order, range(330)), pay(0, 400), pay(329, 401)])
    assert [tell(record) for record in records] == ["6h41m a match"]
    assert 300 < simulation.engine.counters["runs_dropped"] < 330


@pytest.mark.parametrize("size", [30_000, 5_000, 99_000])
def test_never_much_more_is_kept(size: int) -> None:
    simulation = Simulation(rules(PAIRED), settings=SETTINGS)
    most = 0
    for number in range(100):
        state = simulation.users.setdefault("u1", UserState())
        simulation.engine.on_event("u1", state, order(number, size), 0)
        simulation.engine.on_time("u1", state, BASE + number * MINUTE)
        most = max(most, size_of(state))
    assert most < SETTINGS.user_bytes + SETTINGS.match_bytes // 4 + 2 * size


def test_a_match_that_holds_too_much_is_given_up_and_the_others_stay() -> None:
    simulation, records = simulate(PER, [order(0), order(1, 150_000), order(2), pay(0, 10), pay(1, 11), pay(2, 12)])
    assert [tell(record) for record in records] == ["10m a match", "12m a match"]
    assert simulation.engine.counters["runs_dropped"] == 1


def test_a_message_that_waits_is_cancelled_with_a_record() -> None:
    held = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\ndata: {text: text}\n"
    night = "quiet_hours: {from: '12:00', to: '20:00'}\n"
    simulation, records = simulate(held, [*map(order, range(20))], policy=night)
    cancelled = [record for record in records if record.reason == "cancelled"]
    assert 0 < len(cancelled) < 20
    assert {record.cause for record in cancelled} == {"too_large"}
    assert len([record for record in records if record.outcome == "send"]) == 20 - len(cancelled)
    assert simulation.engine.counters["cases_dropped"] == len(cancelled)


def test_explain_says_so() -> None:
    story = Story("u1")
    simulation = Simulation(rules(PAIRED), settings=SETTINGS, observer=story)
    records = list(simulation.run([*map(order, range(30))]))
    told = [line.text for line in story.tell("a", records, BASE + 30 * MINUTE)]
    assert any(text.endswith("open matches are given up: they take too much room") for text in told)


def test_metrics_are_bounded_too() -> None:
    text = "activity: a\ntrigger: {event: pay, where: metric.cities > 0}\n"
    cities = "cities: {distinct: text, of: order, window: 7d}\nlatest: {last: text, of: order}\n"
    given = [Event(f"o{n}", "order", BASE + n * MINUTE, "", {"text": f"{n}" + "x" * 200}, "u1") for n in range(3_000)]
    simulation, _ = simulate(text, given, metrics=cities)
    assert size_of(state_of(simulation).metrics) <= SETTINGS.user_bytes // 2 + SETTINGS.match_bytes // 4 + 1_000
    assert simulation.engine.counters["metrics_cut"] > 0


def test_long_values_are_known_by_their_hash() -> None:
    long = "x" * 1_000_000
    assert len(value_key(long)) <= MOST_CHARACTERS
    assert value_key(long) == value_key(long)
    assert value_key(long) != value_key(long + "x")
