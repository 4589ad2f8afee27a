"""Events later than what was applied, and repeated ones."""

from __future__ import annotations

import pytest

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect, Late, Recall
from kairos.engine.engine import Engine
from kairos.engine.moment import Settings
from kairos.engine.user_state import UserState
from tests.engine_kit import BASE, decisions, engine_of, event, events, ms, receipt, rules, run, tell

SEND = "send: [{channel: sms, template: t}]\n"
UNPAID = "activity: a\ntrigger: {pattern: [{event: order}, {absent: pay}], within: 10m}\n" + SEND
NIGHT = "quiet_hours: {from: '12:00', to: '13:00'}\n"


class User:
    """One user of an engine; each call brings one event at a watermark."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.state = engine, UserState()

    def take(self, text: str, watermark: str, place: int) -> list[str]:
        one = receipt(text) if " a " in text else event(text, place)
        return _told(self.engine.on_event("u1", self.state, one, BASE + ms(watermark)))

    def wait(self, watermark: str) -> list[str]:
        return _told(self.engine.on_time("u1", self.state, BASE + ms(watermark)))


def _told(effects: list[Effect]) -> list[str]:
    told = []
    for effect in effects:
        record = effect.record if isinstance(effect, Candidate) else effect
        told.append(tell(record) if isinstance(record, Record) else type(record).__name__.lower())
    return told


def user(text: str, policy: str = "", metrics: str = "", **settings: int) -> User:
    files = {name: content for name, content in (("policy", policy), ("metrics", metrics)) if content}
    return User(engine_of(rules(text, **files), settings=Settings(**settings)))


def test_it_cancels_an_absence_that_is_not_decided_yet() -> None:
    u = user(UNPAID)
    u.take("0s order", "0s", 1)
    u.take("5m order", "5m", 2)
    assert u.take("3m pay", "5m", 3) == ["late"]
    assert u.wait("1h") == ["15m a send sms"]
    assert u.engine.counters["late"] == 1


def test_it_joins_no_pattern() -> None:
    u = user("activity: a\ntrigger: {count: order, times: 2, within: 1h}\n")
    u.take("10m order", "10m", 1)
    assert u.take("5m order", "10m", 2) == ["late"]
    assert u.take("20m order", "20m", 3) == ["20m a match"]


def test_metrics_count_it() -> None:
    u = user(
        "activity: a\ntrigger: {event: pay, where: metric.orders == 2}\n",
        metrics="orders: {count: order, window: 1d}\n",
    )
    u.take("10m order", "10m", 1)
    u.take("5m order", "10m", 2)
    assert u.take("20m pay", "20m", 3) == ["20m a match"]


def test_a_send_that_it_would_have_changed_is_recalled_and_regretted_once() -> None:
    u = user(UNPAID)
    u.take("0s order", "0s", 1)
    assert u.wait("10m") == ["10m a send sms"]
    u.take("20m order", "20m", 2)
    assert u.take("10m pay", "20m", 3) == ["late"]  # the absence was over by then
    assert u.take("9m59s pay", "20m", 4) == ["late", "20m a regret sms", "recall"]
    assert u.take("6m pay", "20m", 5) == ["late"]


def test_a_match_and_a_control_are_regretted_without_a_recall() -> None:
    for text in (UNPAID.replace(SEND, ""), UNPAID + "audience: {control_group: 100%}\n"):
        u = user(text)
        u.take("0s order", "0s", 1)
        u.wait("10m")
        assert u.take("5m pay", "10m", 2) == ["late", "10m a regret"]


def test_regret_is_for_a_day_after_the_decision_or_what_is_set() -> None:
    u = user(UNPAID, regret_for=ms("1h"))
    u.take("0s order", "0s", 1)
    u.take("1h9m59s order", "1h9m59s", 2)
    assert u.take("5m pay", "1h9m59s", 3)[1:] == ["1h9m59s a regret sms", "recall"]
    u = user(UNPAID + "goal: {event: buy, within: 30d}\n", regret_for=ms("1h"))
    u.take("0s order", "0s", 1)
    u.take("1h10m order", "1h10m", 2)
    assert u.take("5m pay", "1h10m", 3) == ["late"]


def test_what_is_held_is_cancelled_by_a_late_event_before_or_after_its_match() -> None:
    for late in ("5m pay", "15m pay"):
        u = user(UNPAID, policy=NIGHT)
        u.take("0s order", "0s", 1)
        assert u.take("20m order", "20m", 2) == ["10m a hold quiet_hours"]
        assert u.take(late, "20m", 3) == ["late", "20m a suppress cancelled"]
        assert u.wait("2h") == ["30m a hold quiet_hours", "1h a send sms"]


@pytest.mark.parametrize(("status", "after"), [("recalled", "send sms"), ("too_late", "suppress cap:m")])
def test_a_recalled_message_uses_nothing_up(status: str, after: str) -> None:
    u = user(UNPAID, policy="default_caps: [m]\ncaps: {m: {rules: [{max: 1, per: 1d}]}}\n")
    u.take("0s order", "0s", 1)
    u.take("20m order", "20m", 2)
    assert u.take("5m pay", "20m", 3)[-1] == "recall"
    u.take(f"21m a {status}", "21m", 4)
    assert u.wait("30m") == [f"30m a {after}"]


def test_a_recall_names_the_attempt() -> None:
    u = user(UNPAID)
    u.take("0s order", "0s", 1)
    u.wait("10m")
    effects = u.engine.on_event("u1", u.state, event("5m pay", 2), BASE + ms("10m"))
    recall = effects[-1]
    assert isinstance(recall, Recall)
    assert (recall.activity, recall.user_id, recall.attempt, recall.channel) == ("a", "u1", 1, "sms")
    late = effects[0]
    assert isinstance(late, Late)
    assert (late.event.id, late.applied_until) == ("e2", BASE + ms("10m"))


# ------------------------------------------------------------------------------------------------------- repetitions


WATCH = "activity: a\ntrigger: {event: order}\n"


def test_the_first_in_event_time_stays() -> None:
    given = events("5s order id=x n=2", "0s order id=x n=1", "9s order id=x user=u2", "9s order id=x source=s")
    records = run(rules(WATCH + "data: {n: n}\n"), given)
    assert [(tell(r, users=True), r.data["n"]) for r in records] == [
        ("0s a match u1", 1), ("9s a match u1", None), ("9s a match u2", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dedup", "at", "dropped"), [("", "23h59m59s", True), ("", "1d", False), ("dedup: 1h\n", "1h", False)]
)
def test_the_horizon(dedup: str, at: str, dropped: bool) -> None:
    told = decisions(rules(WATCH, policy=dedup or "timezone: UTC\n"), events("0s order id=x", f"{at} order id=x"))
    assert told == ["0s a match"] + ([] if dropped else [f"{at} a match"])


def test_of_two_that_wait_the_earlier_one_stays_whichever_arrived_first() -> None:
    for first, second in (("1s", "2s"), ("2s", "1s")):
        u = user(WATCH)
        u.take(f"{first} order id=x", "0s", 1)
        u.take(f"{second} order id=x", "0s", 2)
        assert u.wait("1h") == ["1s a match"]
        assert u.engine.counters["duplicate"] == 1


def test_beyond_the_lateness_the_one_applied_or_yet_to_apply_stays() -> None:
    u = user(WATCH)
    assert u.take("5s order id=x", "5s", 1) == ["5s a match"]
    assert u.take("1s order id=x", "5s", 2) == []
    u.take("20s order id=y", "10s", 3)
    u.take("15s order id=z", "15s", 4)
    assert u.take("14s order id=y", "15s", 5) == []
    assert u.wait("1h") == ["20s a match"]
    assert u.engine.counters["late"] == 0
