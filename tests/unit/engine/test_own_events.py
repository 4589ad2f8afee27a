"""What Kairos did is an event: receipts, assumed ones too, and goals, in patterns, absences, metrics and goals."""

from __future__ import annotations

import pytest

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate
from kairos.engine.event import Event
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, DAY, decisions, engine_of, event, events, ms, receipt, rules, run, tell

A = "activity: a\ntrigger: {event: order}\ndata: {sku: sku}\nsend: [{channel: sms, template: t}]\n"


def b(steps: str, within: str = "") -> str:
    return f"activity: b\ntrigger: {{pattern: [{steps}]{f', within: {within}' if within else ''}}}\n"


FOLLOWED = [
    # (steps of the watch `b`, receipts of `a`, its matches)
    ("{sent: a}", [], ["0s b match"]),
    ("{delivered: a}", [], ["0s b match"]),
    ("{read: a}", [], []),
    ("{sent: a}", ["1m a sent"], ["1m b match"]),
    ("{sent: a}", ["1m a failed"], []),
    ("{failed: a}", ["1m a failed"], ["1m b match"]),
    ("{failed: a}", ["1m a expired"], []),
    ("{sent: a}", ["1m a expired"], []),
    ("{sent: a}", ["2h a clicked"], ["2h b match"]),
    ("{read: a}", ["1m a sent", "2h a clicked"], ["2h b match"]),
    ("{clicked: a}", ["1m a sent", "2h a clicked", "3h a clicked"], ["2h b match"]),
    ("{sent: a}", ["1m a sent", "2m a sent", "3m a delivered"], ["1m b match"]),
    ("{clicked: a}", ["1m a sent", "25d a clicked"], ["25d b match"]),
    ("{sent: [a, other]}", [], ["0s b match"]),
    ("{sent: other}", [], []),
    ("{sent: a, where: sku == 7}", [], ["0s b match"]),
    ("{sent: a, where: sku == 8}", [], []),
    ("{event: message.sent, where: activity == \"a\" and attempt == 1}", [], ["0s b match"]),
    ("{event: message.sent}", [], ["0s b match"]),
    ("{sent: a}, {delivered: a}, {absent: {clicked: a}}; 1d", [], ["1d b match"]),
    ("{sent: a}, {absent: {clicked: a}}; 1d", ["0s a sent", "23h a clicked"], []),
    ("{event: order}, {sent: a}; 1d", ["1h a sent"], ["1h b match"]),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "receipts", "told"), FOLLOWED)
def test_a_receipt_is_an_event_of_its_user(pattern: str, receipts: list[str], told: list[str]) -> None:
    text = b(*pattern.split("; "))
    other = A.replace("activity: a", "activity: other").replace("event: order", "event: nothing")
    given = [event("0s order sku=7"), *map(receipt, receipts)]
    assert decisions(rules(A, other, text), given) == ["0s a send sms", *told]


def test_it_carries_the_message_and_the_records_data_under_its_own_names() -> None:
    names = "activity occurrence attempt channel variant sku"
    text = b("{sent: a, as: s}") + f"data: {{{', '.join(f'{name}: s.{name}' for name in names.split())}}}\n"
    first, second = run(rules(A, text), [event("0s order sku=7")])
    assert second.data == {
        "activity": "a", "occurrence": first.occurrence, "attempt": 1, "channel": "sms", "variant": None, "sku": 7,
    }  # fmt: skip
    assert second.steps == {"s": [f"a/{first.occurrence}/1/sent"]}


def test_each_attempt_has_events_of_its_own() -> None:
    two = A.replace("template: t}", "template: t}, {channel: email, template: t}")
    given = [event("0s order"), receipt("1m a failed"), receipt("2m a sent channel=email")]
    text = b("{sent: a, as: s}") + "data: {attempt: s.attempt, channel: s.channel}\n"
    known = run(rules(two, text), given)[0].occurrence
    late = receipt(f"3m a sent channel=sms occurrence={known}")
    followed = [record for record in run(rules(two, text), [*given, late]) if record.activity == "b"]
    assert [(tell(r), r.data) for r in followed] == [
        ("2m b match", {"attempt": 2, "channel": "email"}),
        ("3m b match", {"attempt": 1, "channel": "sms"}),
    ]


def test_what_follows_what_follows_is_decided_in_the_same_instant() -> None:
    third = "activity: c\ntrigger: {pattern: [{sent: b}]}\nsend: [{channel: webhook}]\n"
    second = b("{sent: a}") + "send: [{channel: webhook}]\n"
    told = ["0s a send sms", "0s b send webhook", "0s c send webhook"]
    assert decisions(rules(A, second, third), events("0s order")) == told
    given = [event("0s order"), receipt("0s b failed")]
    assert decisions(rules(A, second, third), given) == ["0s a send sms", "0s b send webhook"]


def test_a_message_that_the_budget_refused_never_went() -> None:
    few = A + "limits: {budget: {sends: 1}}\n"
    told = decisions(rules(few, b("{sent: a}")), events("0s order", "1m order"))
    assert told == ["0s a send sms", "0s b match", "1m a suppress budget"]


def test_goals_are_events_with_their_value_and_control_has_one_too() -> None:
    goal = "goal: {event: pay, within: 1d, value: amount}\n"
    text = b("{goal: a, as: g}") + "data: {value: g.value, channel: g.channel}\n"
    given = events("0s order", "1h pay amount=5")
    told = run(rules(A + goal, text), given)
    assert [tell(r) for r in told] == ["0s a send sms", "1h a goal 5", "1h b match"]
    assert told[-1].data == {"value": 5, "channel": "sms"}
    control = run(rules(A + goal + "audience: {control_group: 100%}\n", text), given)
    assert [tell(r) for r in control] == ["0s a control", "1h a goal 5", "1h b match"]
    assert control[-1].data == {"value": 5, "channel": None}


def test_metrics_count_them_and_goals_may_be_made_of_them() -> None:
    metrics = 'sends: {count: message.sent, where: activity == "a", window: 7d}\n'
    text = "activity: b\ntrigger: {event: ask}\ndata: {n: metric.sends}\n"
    told = run(rules(A, text, metrics=metrics), events("0s order", "1m order", "2m ask"))
    assert told[-1].data == {"n": 2}
    clicked = A + 'goal: {event: message.clicked, where: activity == "a", within: 1d}\n'
    given = [event("0s order"), receipt("0s a sent"), receipt("1h a clicked")]
    assert decisions(rules(clicked), given) == ["0s a send sms", "1h a goal"]


# ------------------------------------------------------------------------------------------------ as the job has it


def as_the_job(texts: list[str], steps: list[tuple[str, str]]) -> list[str]:
    """`steps`: (event or receipt of `a`, watermark at which it comes); at last time runs out."""
    engine, state = engine_of(rules(*texts)), UserState()
    effects = []
    for place, (text, watermark) in enumerate(steps, 1):
        one: Event = receipt(text) if " a " in text else event(text, place)
        effects += engine.on_event("u1", state, one, BASE + ms(watermark))
    effects += engine.on_time("u1", state, BASE + 400 * DAY)
    records = [e.record if isinstance(e, Candidate) else e for e in effects]
    return [tell(record) for record in records if isinstance(record, Record)]


SILENT = b("{sent: a}, {absent: {clicked: a}}", "1d")
SEQUENCES = [
    # (receipts with the watermark at which they come, what the watch b does)
    ([("1m a sent", "0s")], ["1d1m b match"]),
    ([("1m a sent", "2m")], ["1d1m b match"]),
    ([("1m a sent", "0s"), ("1m a sent", "5m"), ("2m a delivered", "5m")], ["1d1m b match"]),
    ([("1m a sent", "0s"), ("2h a clicked", "1h")], []),
    ([("2h a clicked", "1h"), ("1m a sent", "3h")], []),
    ([("1m a failed", "0s")], []),
]


@pytest.mark.parametrize(("receipts", "told"), SEQUENCES)
def test_the_job_decides_as_the_simulation(receipts: list[tuple[str, str]], told: list[str]) -> None:
    steps = [("0s order", "-1m"), *receipts]
    assert as_the_job([A, SILENT], steps) == ["0s a send sms", *told]
    given = [event("0s order"), *(receipt(text) for text, _ in receipts)]
    assert decisions(rules(A, SILENT), given) == ["0s a send sms", *told]


def test_a_receipt_from_before_what_was_applied_acts_at_once() -> None:
    text = b("{sent: a}")
    assert as_the_job([A, text], [("0s order", "0s"), ("10m order", "10m"), ("1m a sent attempt=1", "10m")]) == [
        "0s a send sms", "10m a send sms", "10m b match",
    ]  # fmt: skip


def test_nothing_is_remembered_of_a_message_that_nobody_listens_to() -> None:
    engine, state = engine_of(rules(A, b("{sent: other}"), A.replace("activity: a", "activity: other"))), UserState()
    engine.on_event("u1", state, event("0s order"), BASE)
    assert {case.activity: len(case.told) for case in state.cases} == {"a": 0, "other": 1}
