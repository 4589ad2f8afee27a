"""A journey beside delivery workers: it waits for what they say, and calls back what is on its way."""

from __future__ import annotations

from kairos.engine.effect import Recall
from kairos.engine.event import Event
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, HOUR, engine_of, event, ms, receipt, rules
from tests.unit.engine.live_user import told
from tests.unit.journey.test_journeys import POLICY, journey

SERIES = "hello\n{wait: 1d}\n{id: tips, when: not clicked(hello), send: [{channel: webhook}]}"


class Live:
    def __init__(self, text: str) -> None:
        self.engine, self.state = engine_of(rules(text, policy=POLICY), settings=Settings(lateness=0)), UserState()

    def hear(self, text: str) -> list[str]:
        """An event, or `1h hello sent`; the watermark goes along."""
        words = text.split(" ")
        one: Event = receipt(f"{words[0]} j.{' '.join(words[1:])}") if words[1] in ("hello", "tips") else event(text)
        return self.told(self.engine.on_event("u1", self.state, one, BASE + ms(words[0])))

    def wait(self, until: str) -> list[str]:
        return self.told(self.engine.on_time("u1", self.state, BASE + ms(until)))

    def told(self, effects: list) -> list[str]:  # type: ignore[type-arg]
        self.effects = effects
        return [line.replace(" webhook", "").replace(" j.", " ").replace(" j ", " ") for line in told(effects)]


def test_the_wait_counts_from_the_sent_receipt() -> None:
    live = Live(journey(SERIES))
    assert live.hear("0s in") == ["0s match", "0s hello send"]
    assert live.wait("2h") == []
    assert live.hear("3h hello sent") == []
    assert live.wait("1d2h") == []
    assert live.wait("1d3h") == ["1d3h tips send"]


def test_an_exit_calls_back_what_is_on_its_way() -> None:
    live = Live(journey(SERIES, "exit: {event: buy}\n"))
    live.hear("0s in")
    said = live.hear("1m buy")
    (recall,) = [effect for effect in live.effects if isinstance(effect, Recall)]
    assert (recall.activity, recall.attempt, recall.at) == ("j.hello", 1, BASE + 60_000)
    assert "1m left match" in said


def test_a_message_of_which_nothing_is_heard_does_not_hold_it_for_ever() -> None:
    live = Live(journey("hello\n{id: tips, when: skipped(hello), send: [{channel: webhook}]}"))
    live.hear("0s in")
    assert live.wait("2d23h") == []
    assert live.wait("3d") == ["3d tips send"]


def test_what_became_of_a_message_is_heard_long_after_its_case_is_forgotten() -> None:
    live = Live(journey(SERIES.replace("wait: 1d", "wait: 30d")))
    live.hear("0s in")
    occurrence = live.state.cases[0].occurrence
    live.hear("1m hello sent")
    live.hear("20d other")
    live.state.cases = []
    live.hear(f"21d hello clicked occurrence={occurrence}")
    assert live.wait("31d") == ["30d1m left match"]


def test_a_budget_that_is_used_up_is_told_later_and_the_journey_goes_on() -> None:
    live = Live(journey(SERIES, "limits: {budget: {sends: 1}}\n"))
    live.hear("0s in")
    live.hear("0s hello released")
    assert live.wait("1d1m") == ["1d10s tips send"]


def test_the_timer_is_at_the_instant_of_the_next_step() -> None:
    live = Live(journey("{wait: 5h}\nhello"))
    live.hear("0s in")
    assert live.engine.next_timer("u1", live.state) == BASE + 5 * HOUR
    live.hear("1h view")
    assert live.engine.next_timer("u1", live.state) == BASE + 5 * HOUR
