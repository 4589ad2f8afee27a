"""Held candidates: one record, one occurrence, everything asked again, and what undoes them meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, HOUR, decisions, engine_of, events, ms, program_of, rules, run, tell

NIGHT = "quiet_hours: {from: '12:00', to: '13:00'}\n"
ORDER = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"
UNPAID = """
activity: a
trigger:
  per: order_id
  pattern: [{event: order}, {absent: pay}]
  within: 10m
send: [{channel: sms, template: t}]
"""


def test_one_hold_record_and_the_same_occurrence_and_steps() -> None:
    held, sent = run(rules(ORDER + "data: {n: n}\n", policy=NIGHT), events("1m order n=3"))
    assert (tell(held), tell(sent)) == ("1m a hold quiet_hours", "1h a send sms")
    assert (held.occurrence, held.steps, held.data) == (sent.occurrence, sent.steps, sent.data)
    assert sent.steps == {"order": ["e1"]}
    assert sent.attempt is msgspec.UNSET


def test_a_second_reason_to_hold_is_not_told() -> None:
    policy = NIGHT + "default_caps: [m]\ncaps: {m: {rules: [{max: 1, per: 2h}], on_exceed: {retry_for: 4h}}}\n"
    told = decisions(rules(ORDER, policy=policy), events("-30m order", "1m order"))
    assert told == ["-30m a send sms", "1m a hold quiet_hours", "1h30m a send sms"]


AGAIN = [
    ("audience: {where: metric.cancels == 0}\n", "30m cancel", "1h a suppress audience"),
    ("active: {until: 2026-11-02T12:30, timezone: UTC}\n", "30m cancel", "1h a suppress dates"),
    ("audience: {where: metric.cancels <= 1}\n", "30m cancel", "1h a send sms"),
]


@pytest.mark.parametrize(("extra", "meanwhile", "told"), AGAIN)
def test_all_gates_are_asked_again(extra: str, meanwhile: str, told: str) -> None:
    rule_set = rules(ORDER + extra, policy=NIGHT, metrics="cancels: {count: cancel}\n")
    assert decisions(rule_set, events("0s order", meanwhile)) == ["0s a hold quiet_hours", told]


def test_once_is_asked_again_too() -> None:
    rule_set = rules(ORDER + "limits: {once: ever}\n", policy=NIGHT)
    told = decisions(rule_set, events("0s order", "30m order"))
    assert told == ["0s a hold quiet_hours", "30m a hold quiet_hours", "1h a send sms", "1h a suppress once"]


def test_its_final_absence_stays_armed() -> None:
    rule_set = rules(UNPAID, policy=NIGHT)
    given = events("0s order order_id=x", "1s order order_id=y", "30m pay order_id=x", "30m pay order_id=z")
    assert decisions(rule_set, given) == [
        "10m a hold quiet_hours", "10m1s a hold quiet_hours", "30m a suppress cancelled", "1h a send sms",
    ]  # fmt: skip


def test_the_condition_of_the_absence_counts() -> None:
    text = "activity: a\ntrigger:\n  pattern: [{event: order, as: o}, {absent: pay, where: amount >= o.amount}]\n"
    rule_set = rules(text + "  within: 10m\nsend: [{channel: sms, template: t}]\n", policy=NIGHT)
    given = events("0s order amount=5", "30m pay amount=4", "40m pay amount=5")
    assert decisions(rule_set, given) == ["10m a hold quiet_hours", "40m a suppress cancelled"]


def test_a_met_goal_cancels_what_is_held() -> None:
    rule_set = rules(ORDER + "goal: {event: pay, within: 1d, where: n == order.n}\n", policy=NIGHT)
    given = events("0s order n=1", "1s order n=2", "30m pay n=2")
    assert decisions(rule_set, given) == [
        "0s a hold quiet_hours", "1s a hold quiet_hours", "30m a suppress cancelled", "1h a send sms",
    ]  # fmt: skip


def test_a_goal_of_another_value_of_per_cancels_nothing() -> None:
    text = ORDER.replace("event: order}", "event: order, per: n}") + "goal: {event: pay, within: 1d}\n"
    given = events("0s order n=1", "1s order n=2", "30m pay n=2", "31m pay")
    assert decisions(rules(text, policy=NIGHT), given) == [
        "0s a hold quiet_hours", "1s a hold quiet_hours", "30m a suppress cancelled", "1h a send sms",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("send_before", "last"),
    [("59m", "59m a suppress expired"), ("1h", "1h a send sms"), ("2h", "1h a send sms")],
)
def test_expired(send_before: str, last: str) -> None:
    rule_set = rules(f"{ORDER}limits: {{send_before: {send_before}}}\n", policy=NIGHT)
    assert decisions(rule_set, events("0s order")) == ["0s a hold quiet_hours", last]


def test_paused_while_held() -> None:
    rule_set = rules(ORDER, policy=NIGHT)
    engine, state = engine_of(rule_set), UserState()
    [held] = engine.on_event("u1", state, events("0s order")[0], BASE)
    paused = msgspec.structs.replace(rule_set.activities["a"], state="paused")
    engine.adopt(
        program_of(msgspec.structs.replace(rule_set, activities={"a": paused}), 2, BASE + ms("10m"), engine.program)
    )
    [released] = engine.on_time("u1", state, BASE + HOUR)
    assert [tell(r) for r in (held, released)] == ["0s a hold quiet_hours", "1h a suppress paused"]  # type: ignore[arg-type]
