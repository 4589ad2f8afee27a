"""Goals: what they are attributed to, once each, and what they cancel."""

from __future__ import annotations

import pytest

from kairos.engine.decision import Record
from tests.engine_kit import decisions, events, receipt, rules, run
from tests.unit.engine.live_user import user

ORDER = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"


def test_the_latest_send_before_it_once_with_its_value_and_occurrence() -> None:
    rule_set = rules(ORDER + "goal: {event: pay, within: 1h, value: amount * 2}\n")
    records = run(rule_set, events("0s order", "10m order", "20m pay amount=4", "30m pay amount=5"))
    assert [(r.outcome, r.at % 3_600_000 // 60_000) for r in records] == [("send", 0), ("send", 10), ("goal", 20)]
    assert records[2].occurrence == records[1].occurrence
    assert records[2].value == 8
    assert (records[2].reason, records[2].channel) == (None, "sms")


@pytest.mark.parametrize(
    ("at", "met"), [("0s", False), ("1ms", True), ("59m59s999ms", True), ("1h", False), ("1h1ms", False)]
)
def test_within_is_open_at_its_end_and_the_goal_comes_after_the_send(at: str, met: bool) -> None:
    told = decisions(rules(ORDER + "goal: {event: pay, within: 1h}\n"), events("0s order", f"{at} pay"))
    assert told[1:] == ([f"{at} a goal"] if met else [])


def test_where_compares_with_the_steps() -> None:
    rule_set = rules(ORDER + "goal: {event: [pay, refund], within: 1h, where: n == order.n}\n")
    told = decisions(rule_set, events("0s order n=1", "1s order n=2", "2s pay n=1", "3s pay n=3", "4s refund n=2"))
    assert told == ["0s a send sms", "1s a send sms", "2s a goal", "4s a goal"]


def test_with_per_it_is_of_that_value() -> None:
    text = ORDER.replace("event: order}", "event: order, per: n}") + "goal: {event: pay, within: 1h}\n"
    records = run(rules(text), events("0s order n=1", "1s order n=2", "2s pay n=1", "3s pay n=9", "4s pay"))
    assert [r.outcome for r in records] == ["send", "send", "goal"]
    assert records[2].occurrence == records[0].occurrence


def test_control_can_meet_it_too() -> None:
    rule_set = rules(ORDER + "audience: {control_group: 100%}\ngoal: {event: pay, within: 1h, value: n}\n")
    control, goal = run(rule_set, events("0s order", "1m pay n=7"))
    assert (control.outcome, goal.outcome, goal.value) == ("control", "goal", 7)
    assert control.occurrence == goal.occurrence
    assert goal.channel is None


def test_who_was_not_contacted_meets_none() -> None:
    rule_set = rules(ORDER + "audience: {where: n == 1}\ngoal: {event: pay, within: 1h}\n")
    assert decisions(rule_set, events("0s order n=2", "1m pay")) == ["0s a suppress audience"]


def test_the_metric_that_a_goal_reads_includes_its_event() -> None:
    rule_set = rules(
        ORDER + "goal: {event: pay, within: 1h, where: metric.pays == 1, value: metric.pays}\n",
        metrics="pays: {count: pay}\n",
    )
    assert decisions(rule_set, events("0s order", "1m pay")) == ["0s a send sms", "1m a goal 1"]


def test_it_cancels_a_fallback_that_has_not_left_even_one_by_failure() -> None:
    text = "activity: a\ntrigger: {event: order}\n"
    text += "send: [{channel: wechat, template: t}, {channel: sms, template: t, after: 5m}]\n"
    rule_set = rules(text + "goal: {event: pay, within: 1h}\n")
    sent, failed = receipt("1s a sent"), receipt("2m a failed")
    cancelled = ["0s a send wechat", "1m a goal", "1m a suppress cancelled #2"]
    assert decisions(rule_set, [*events("0s order", "1m pay"), sent]) == cancelled
    assert decisions(rule_set, [*events("0s order", "1m pay"), sent, failed]) == cancelled
    assert decisions(rule_set, [*events("0s order", "6m pay"), sent]) == [
        "0s a send wechat", "5m1s a send sms #2", "6m a goal",
    ]  # fmt: skip


@pytest.mark.parametrize("ending", ["failed", "expired", "recalled", "released reason=quiet_hours"])
def test_a_send_that_reached_nobody_earns_no_goal_and_the_one_before_it_does(ending: str) -> None:
    text = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"
    u = user(text + "goal: {event: pay, within: 1d}\n", policy="quiet_hours: {from: '13:00', to: '14:00'}\n")
    u.take("0s order", "0s", 1)
    u.take("1s receipt activity=a status=sent", "1s", 2)
    u.take("10m order", "10m", 3)
    u.take(f"1h a {ending}", "1h", 4)
    (effect,) = [e for e in u.effects("2h pay", "2h", 5) if isinstance(e, Record) and e.outcome == "goal"]
    assert effect.steps == {"order": ["e1"]}
    v = user(text + "goal: {event: pay, within: 1d}\n")
    v.take("0s order", "0s", 1)
    v.take(f"1m a {ending.partition(' ')[0]}", "1m", 2)
    assert v.take("2h pay", "2h", 3) == []


def test_a_watch_has_no_goal_to_meet() -> None:
    text = "activity: a\ntrigger: {event: order}\ngoal: {event: pay, within: 1h}\n"
    assert decisions(rules(text), events("0s order", "1m pay")) == ["0s a match"]
