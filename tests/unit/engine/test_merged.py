"""Events of an anonymous device, told when it was known whose it was."""

from __future__ import annotations

import msgspec
import pytest

from kairos.engine.event import Event, EventError, decode
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from tests.engine_kit import decisions, event, events, rules
from tests.unit.engine.live_user import user

SEND = "send: [{channel: sms, template: t}]\n"
UNPAID = "activity: a\ntrigger: {pattern: [{event: order}, {absent: pay}], within: 10m}\n" + SEND
NIGHT = "quiet_hours: {from: '12:00', to: '13:00'}\n"
METRICS = "orders: {count: order, window: 1d}\n"


@pytest.mark.parametrize(
    "trigger",
    [
        "{event: order}",
        "{count: order, times: 2, within: 1h}",
        "{pattern: [{event: view}, {event: order}], within: 1h}",
        "{pattern: [{event: order}, {absent: pay}], within: 10m}",
    ],
)
def test_it_neither_begins_nor_completes_a_match(trigger: str) -> None:
    given = events("0s view", "1m order merged=true", "2m order merged=true", "3m view merged=true")
    assert decisions(rules(f"activity: a\ntrigger: {trigger}\n"), given) == []


def test_metrics_count_it_at_its_time() -> None:
    rule_set = rules("activity: a\ntrigger: {event: pay, where: metric.orders == 2}\n", metrics=METRICS)
    given = events("1m order", "2m pay", "3m order merged=true", "4m pay", "1d1m30s pay")
    assert decisions(rule_set, given) == ["4m a match"]


def test_it_undoes_an_absence_of_the_same_part() -> None:
    text = "activity: a\ntrigger: {per: id_, pattern: [{event: order}, {absent: pay}], within: 10m}\n"
    given = events("0s order id_=1", "0s order id_=2", "5m pay id_=2 merged=true")
    assert decisions(rules(text), given) == ["10m a match"]


def test_one_from_before_the_order_undoes_nothing() -> None:
    assert decisions(rules(UNPAID), events("0s pay merged=true", "1m order")) == ["11m a send sms"]


def test_it_meets_no_goal() -> None:
    text = "activity: a\ntrigger: {event: order}\ngoal: {event: pay, within: 1d}\n" + SEND
    assert decisions(rules(text), events("0s order", "1m pay merged=true", "2m pay")) == ["0s a send sms", "2m a goal"]


def test_later_than_what_was_applied_it_is_no_late_event() -> None:
    u = user("activity: b\ntrigger: {event: look, where: metric.orders == 2}\n", metrics=METRICS)
    u.take("10m order", "10m", 1)
    assert u.take("5m order merged=true", "10m", 2) == []
    assert u.take("20m look", "20m", 3) == ["20m b match"]
    assert (u.engine.counters["late"], u.engine.counters["merged"]) == (0, 1)


def test_it_undoes_what_is_not_decided_yet_however_late() -> None:
    u = user(UNPAID)
    u.take("0s order", "0s", 1)
    u.take("5m order", "5m", 2)
    assert u.take("3m pay merged=true", "5m", 3) == []
    assert u.wait("1h") == ["15m a send sms"]


def test_it_cancels_what_is_held_without_waiting_for_another_event() -> None:
    u = user(UNPAID, policy=NIGHT)
    u.take("0s order", "0s", 1)
    assert u.wait("10m") == ["10m a hold quiet_hours"]
    assert u.take("20m pay merged=true", "11m", 2) == []
    due = u.engine.next_timer("u1", u.state)
    assert due == event("20m pay").time
    assert u.wait("20m") == ["20m a suppress cancelled"]


def test_after_the_decision_the_message_is_recalled_and_regretted() -> None:
    u = user(UNPAID)
    u.take("0s order", "0s", 1)
    assert u.wait("10m") == ["10m a send sms"]
    assert u.take("5m pay merged=true", "10m", 2) == ["recall"]
    assert u.take("11m a too_late attempt=1", "12m", 3) == ["11m a regret sms"]


def test_told_twice_it_counts_once() -> None:
    rule_set = rules("activity: a\ntrigger: {event: pay, where: metric.orders == 1}\n", metrics=METRICS)
    given = events("1m order id=x merged=true", "1m order id=x merged=true", "2m pay")
    assert decisions(rule_set, given) == ["2m a match"]


def test_it_asks_for_no_timer_of_its_own() -> None:
    u = user(UNPAID)
    u.take("0s order merged=true", "-1m", 1)
    u.take("1s pay merged=true", "-1m", 2)
    assert u.engine.next_timer("u1", u.state) == u.state.sweep_at


def test_events_in_state_from_before_there_was_such_a_thing() -> None:
    old = ["e1", "order", 5, "shop", {"n": 1}, "u1"]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=Event) == Event(*old)  # type: ignore[arg-type]
    codec, waiting = StateCodec(), UserState(tail=[Event("e1", "order", 5, "shop", {}, "", True)])
    assert codec.decode(codec.encode(waiting)) == waiting


LINE = b'{"id": "e1", "type": "order", "user_id": "u1", "time": 1763778000000, "source": "shop", "props": {}%s}'


def test_the_envelope_may_say_so() -> None:
    assert decode(LINE % b', "merged": true').merged
    assert not decode(LINE % b', "merged": false').merged
    assert decode(LINE % b', "claimed_time": 1763778999000') == decode(LINE % b"")
    with pytest.raises(EventError, match="'merged' must be true or false, not text"):
        decode(LINE % b', "merged": "yes"')
