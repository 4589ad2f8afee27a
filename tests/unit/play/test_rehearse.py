"""Examples beside a rule: the complete list of decisions, compared as it is written."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.decision import Record
from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.metric.seed import seed_cells
from kairos.engine.metric.spec import Metric
from kairos.engine.play.rehearse import Failure, differences, pair_up, rehearse, same
from kairos.engine.rule.examples import Expected
from kairos.engine.rule.load import load

RULE = """activity: a
trigger: {event: purchase, where: amount > 5}
audience: {where: metric.spend_30d >= 100 and profile.level >= 2}
data: {amount: amount}
send: [{channel: sms, template: note}]
"""


def outcome(examples: str, **more: str) -> list[Failure]:
    files = {
        "activities/t/a.yaml": RULE,
        "activities/t/a.test.yaml": examples,
        "templates/note.sms.liquid": "hello {{ amount }}",
        "metrics.yaml": "spend_30d: {sum: amount, of: purchase, window: 30d}\n",
        **{name.replace("__", "/") + ".yaml": text for name, text in more.items()},
    }
    loaded = load({name: text.encode() for name, text in files.items()})
    assert loaded.rules is not None, loaded.findings
    return rehearse(loaded.rules, loaded.tests["a"])


ONE = "{at: 1m, purchase: {user_id: u1, amount: 10}}"


@pytest.mark.parametrize(
    ("expect", "passes"),
    [
        ("[{at: 1m, outcome: send}]", True),
        ("[{at: 1m, outcome: send, channel: sms, template: note, data: {amount: 10}, user_id: u1, attempt: 1}]", True),
        ("[{at: 1m, outcome: send, data: {}}]", True),
        ("[]", False),
        ("[{at: 2m, outcome: send}]", False),
        ("[{at: 1m, outcome: match}]", False),
        ("[{at: 1m, outcome: send, user_id: u2}]", False),
        ("[{at: 1m, outcome: send, data: {amount: 11}}]", False),
        ("[{at: 1m, outcome: send, data: {other: 1}}]", False),
        ("[{at: 1m, outcome: send}, {at: 1m, outcome: send}]", False),
    ],
)
def test_the_list_is_complete_and_exact(expect: str, passes: bool) -> None:
    failures = outcome(f"""
profiles: {{u1: {{level: 2, phone: "1"}}}}
metrics: {{u1: {{spend_30d: 95}}}}
tests: [{{name: n, events: [{ONE}], expect: {expect}}}]
""")
    assert (failures == []) is passes


def test_metrics_and_profiles_of_a_test_go_over_those_of_the_file() -> None:
    assert (
        outcome(f"""
profiles: {{u1: {{level: 1, phone: "1"}}}}
metrics: {{u1: {{spend_30d: 0}}}}
tests:
  - name: neither
    events: [{ONE}]
    expect: [{{at: 1m, outcome: suppress, reason: audience}}]
  - name: both
    profiles: {{u1: {{level: 3}}}}
    metrics: {{u1: {{spend_30d: 90}}}}
    events: [{ONE}]
    expect: [{{at: 1m, outcome: send}}]
""")
        == []
    )


def test_without_profiles_every_channel_is_reachable_and_with_them_it_is_not() -> None:
    events = f"events: [{ONE}]"
    cold = "metrics: {u1: {spend_30d: 90}}"
    assert [failure.extra[0].reason for failure in outcome(f"""
tests:
  - {{name: n, {events}, {cold}, profiles: {{u1: {{level: 2}}}}, expect: []}}
""")] == ["unreachable"]  # fmt: skip


def test_other_activities_do_not_take_part() -> None:
    other = """activity: b
trigger: {event: purchase}
priority: 100
limits: {caps: [one]}
send: [{channel: sms, template: note}]
data: {amount: amount}
"""
    policy = "default_caps: [one]\ncaps: {one: {rules: [{max: 1, per: 1d}]}}\n"
    failures = outcome(
        f"""
metrics: {{u1: {{spend_30d: 90}}}}
profiles: {{u1: {{level: 2, phone: "1"}}}}
tests: [{{name: n, events: [{ONE}], expect: [{{at: 1m, outcome: send}}]}}]
""",
        activities__t__b=other,
        policy=policy,
    )
    assert failures == []


def test_a_failure_says_what_is_missing_what_came_and_why() -> None:
    [failure] = outcome(f"""
start: 2026-11-02T12:00
tests: [{{name: n, events: [{ONE}], expect: [{{at: 1m, outcome: send}}]}}]
""")
    assert [(expected.outcome, expected.line) for expected in failure.missing] == [("send", 3)]
    assert [(record.outcome, record.reason) for record in failure.extra] == [("suppress", "audience")]
    assert [line.text for line in failure.story["u1"]] == [
        "purchase e1 is taken as `purchase`",
        "the trigger is complete: e1",
        "passes state and dates, black list",
        "stopped by audience: metric.spend_30d >= 100 is false, metric.spend_30d is 10, profile.level >= 2 is false, "
        "profile.level is null",
        "-> suppress: audience",
    ]


# ---------------------------------------------------------------------------------------------------------- matching
def record(at: int, outcome: str = "send", **fields: Any) -> Record:
    plain = {"activity": "a", "version": "", "variant": None, "template": None, "user_id": "u1", "reason": None}
    defaults = {**plain, "channel": None, "occurrence": "", "steps": {}, "data": {}}
    return Record(**{**defaults, "at": at, "outcome": outcome, **fields})


def expected(at: int, outcome: str = "send", **fields: Any) -> Expected:
    return Expected(at, outcome, fields, 1)


def test_the_vague_expectation_leaves_the_exact_one_its_record() -> None:
    one, two = record(0, channel="sms"), record(0, channel="email")
    vague, exact = expected(0), expected(0, channel="sms")
    assert pair_up([vague, exact], [one, two]) == [two, one]
    assert pair_up([exact, vague], [two, one]) == [one, two]


@given(
    st.lists(st.tuples(st.sampled_from([None, "sms", "email"]), st.sampled_from([None, "x", "y"])), max_size=4),
    st.lists(st.tuples(st.sampled_from(["sms", "email"]), st.sampled_from(["x", "y"])), max_size=4),
)
def test_as_many_pairs_as_there_can_be(
    wanted: list[tuple[str | None, str | None]], came: list[tuple[str, str]]
) -> None:
    names = ("channel", "template")
    expectations = [expected(0, **{n: v for n, v in zip(names, w, strict=True) if v is not None}) for w in wanted]
    records = [record(0, channel=channel, template=template) for channel, template in came]

    def best(number: int, free: frozenset[int]) -> int:
        """The slow way: try everything."""
        if number == len(expectations):
            return 0
        fitting = [i for i in free if not differences(expectations[number], records[i])]
        return max([best(number + 1, free), *(1 + best(number + 1, free - {i}) for i in fitting)])

    pairs = pair_up(expectations, records)
    found = [pair for pair in pairs if pair is not None]
    assert len({id(pair) for pair in found}) == len(found) == best(0, frozenset(range(len(records))))
    assert all(pair is None or not differences(e, pair) for e, pair in zip(expectations, pairs, strict=True))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True), (1, True, False), (0, False, False), (True, True, True), ("1", 1, False), (None, None, True),
        ([1, {"a": 2}], [1.0, {"a": 2.0}], True), ([1], [1, 2], False), ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False), (None, 0, False),
    ],
)  # fmt: skip
def test_values_are_compared_as_json(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal


def test_a_first_attempt_need_not_be_written_in_the_record() -> None:
    assert differences(expected(0, attempt=1), record(0)) == {}
    assert differences(expected(0, attempt=2), record(0)) == {"attempt": (2, None)}
    assert differences(expected(0, value=3), record(0, "goal", value=msgspec.UNSET)) != {}


# ------------------------------------------------------------------------------------------------------ metric values
@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("count", 4),
        ("sum", 12.5),
        ("avg", 3.5),
        ("min", 2),
        ("max", 9),
        ("distinct", 3),
        ("first", "a"),
        ("last", None),
    ],
)
@pytest.mark.parametrize("window", [None, 64_000])
def test_a_given_value_is_the_metrics_value(function: Any, value: Any, window: int | None) -> None:
    metric = CompiledMetric(Metric("m", function, ("t",), "x", window=window))
    at = 1_763_778_000_000
    cells = seed_cells(metric, value, at)
    assert metric.value(cells, at) == value
    assert metric.value(cells, at + 62_000) == value
    gone = metric.value(cells, at + 64_000)
    assert gone == (value if window is None else metric.value({}, at))


def test_a_metric_per_value_is_given_by_value() -> None:
    metric = CompiledMetric(Metric("m", "count", ("t",), per="category"))
    assert seed_cells(metric, {"books": 3}, 0) == {"sbooks": {0: 3}}


def test_activities_whose_messages_it_waits_for_take_part_and_are_not_in_the_list() -> None:
    first = "activity: first\nstate: paused\ntrigger: {event: purchase}\nsend: [{channel: sms, template: plain}]\n"
    rule = "activity: a\ntrigger: {pattern: [{sent: first}]}\nsend: [{channel: webhook}]\n"
    unrelated = rule.replace("activity: a", "activity: other").replace("sent: first", "event: purchase")
    folder = {
        "activities/t/a.yaml": rule,
        "activities/t/first.yaml": first.replace("paused", "live"),
        "activities/t/other.yaml": unrelated,
        "templates/plain.sms.liquid": "hi",
        "activities/t/a.test.yaml": f"""
tests:
  - name: one message, one that follows
    events: [{ONE}]
    expect: [{{at: 1m, outcome: send, channel: webhook}}]
  - name: what it follows may be said as well
    events: [{{at: 1m, message.sent: {{user_id: u1, activity: first}}}}]
    expect: [{{at: 1m, outcome: send}}]
""",
    }
    loaded = load({name: text.encode() for name, text in folder.items()})
    assert loaded.rules is not None, loaded.findings
    assert rehearse(loaded.rules, loaded.tests["a"]) == []
