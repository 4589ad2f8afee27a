"""What publishing does: what changes, what becomes of matches in flight, what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.engine.crowd.spec import Crowd, RuleCrowd, Sample, SetCrowd
from kairos.engine.metric.compiled import metric_key
from kairos.engine.metric.spec import Metric
from kairos.engine.pattern import Pattern, Step, Times
from kairos.engine.policy.spec import Cap, CapRule, Policy
from kairos.engine.rule.changes.change import Change, change_of
from kairos.engine.rule.changes.succession import drain_time
from kairos.engine.rule.model import Activity, Audience, Goal, Limits, Material, RuleSet, Send, Variant
from kairos.engine.rule.reads.metric_readers import metric_readers
from kairos.engine.rule.release import Release, activity_version

MINUTE = 60_000
DAY = 86_400_000
NOW = 1_800_000_000_000

UNPAID = Pattern(
    (Step("event", ("order_created",), "order"), Step("absent", ("order_paid",), "paid")), within=10 * MINUTE
)


def activity(name: str = "a", **fields: Any) -> Activity:
    return Activity(name, **{"pattern": UNPAID, "state": "live", **fields})


def plan(old: RuleSet | None, new: RuleSet, accept_cold: bool = False) -> Change:
    previous = Release(7, old) if old is not None else None
    return change_of(previous, new, NOW, accept_cold=accept_cold)


def in_flight(old: Activity, new: Activity) -> str:
    [change] = plan(RuleSet({"a": old}), RuleSet({"a": new})).changes
    return change.in_flight


def test_the_first_release() -> None:
    made = plan(None, RuleSet({"a": activity()}))
    assert [(change.activity, change.kind) for change in made.changes] == [("a", "new")]
    assert (made.release.number, made.release.effective_at) == (1, 0)


def test_nothing_changed() -> None:
    made = plan(RuleSet({"a": activity()}), RuleSet({"a": activity()}))
    assert made.empty
    assert made.changes == made.others == made.refusals == ()


def test_each_kind_of_change_is_listed() -> None:
    old = RuleSet({"a": activity("a"), "b": activity("b"), "same": activity("same")})
    new = RuleSet({"b": activity("b", priority=60, owner="growth"), "c": activity("c"), "same": activity("same")})
    made = plan(old, new)
    assert [(change.activity, change.kind, change.fields) for change in made.changes] == [
        ("a", "removed", ()),
        ("b", "changed", ("owner:  -> growth", "priority: 50 -> 60")),
        ("c", "new", ()),
    ]
    assert made.release.number == 8
    assert made.release.effective_at == NOW


def test_changes_beside_the_activities_are_listed() -> None:
    old = RuleSet({}, metrics={"m": Metric("m", "count", ("t",)), "gone": Metric("gone", "count", ("t",))})
    new = RuleSet(
        {},
        metrics={"m": Metric("m", "count", ("t",), window=DAY), "n": Metric("n", "count", ("t",))},
        policy=Policy("Asia/Shanghai"),
        templates={"x.sms": "hello"},
        materials={"sale": Material(title="Spring")},
    )
    assert plan(old, new).others == (
        "metrics: gone removed",
        "metrics: m changed",
        "metrics: n new",
        "templates: x.sms new",
        "materials: sale new",
        "policy.yaml changed",
    )


@pytest.mark.parametrize(
    ("wish", "change", "said"),
    [
        ("keep", {"priority": 1}, "kept, and go on under the new definition"),
        ("keep", {"pattern": msgspec.structs.replace(UNPAID, within=MINUTE)}, "kept, and go on"),
        (
            "keep",
            {"pattern": msgspec.structs.replace(UNPAID, per="order_id")},
            "dropped: the steps of the trigger changed",
        ),
        ("restart", {"priority": 1}, "dropped (on_change: restart)"),
        ("drain", {"priority": 1}, "finish under the old definition, for at most 10m"),
        ("drain", {"title": "only a title", "on_change": "keep"}, "kept"),
        ("keep", {"state": "paused"}, "kept; what falls due while paused is suppressed"),
        ("keep", {"state": "ended"}, "kept; what falls due is suppressed (state: ended)"),
    ],
)
def test_what_happens_to_matches_in_flight(wish: str, change: dict[str, Any], said: str) -> None:
    old = activity(on_change=change.get("on_change", "keep"))
    assert in_flight(old, activity(**{"on_change": wish, **change})).startswith(said)


def test_a_change_of_state_alone_drains_nothing() -> None:
    old, new = activity(on_change="drain"), activity(on_change="drain", state="paused")
    made = plan(RuleSet({"a": old}), RuleSet({"a": new}))
    assert made.release.draining == {}


def test_a_definition_that_comes_back_drains_no_more() -> None:
    first, second = activity(on_change="drain"), activity(on_change="drain", priority=60)
    one = change_of(Release(1, RuleSet({"a": first})), RuleSet({"a": second}), NOW).release
    assert list(one.draining) == [activity_version(first)]
    two = change_of(one, RuleSet({"a": first}), NOW + 1).release
    assert list(two.draining) == [activity_version(second)]


def test_an_endless_drain_is_refused() -> None:
    endless = Pattern((Step("event", ("a",), "a"), Step("event", ("b",), "b")))
    old, new = activity(pattern=endless), activity(pattern=endless, priority=1, on_change="drain")
    assert plan(RuleSet({"a": old}), RuleSet({"a": new})).refusals == (
        "a: on_change: drain would keep the old definition for ever; 30 days at most. Use keep or restart.",
    )


def test_a_drain_of_more_than_30_days_is_refused() -> None:
    for days, refused in ((30, False), (31, True)):
        pattern = msgspec.structs.replace(UNPAID, within=days * DAY)
        old, new = activity(pattern=pattern), activity(pattern=pattern, priority=1, on_change="drain")
        assert bool(plan(RuleSet({"a": old}), RuleSet({"a": new})).refusals) is refused


CAP = {"c": Cap("c", (CapRule(1, DAY),), retry_for=DAY)}
EVENT = Step("event", ("t",), "t")
SENDS = (Send("push"), Send("sms", after=5 * MINUTE), Send("email", after=MINUTE))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"pattern": Pattern((EVENT,))}, 0),
        ({"pattern": Pattern((msgspec.structs.replace(EVENT, times=Times(3, 3)),), within=DAY)}, DAY),
        ({"pattern": Pattern((msgspec.structs.replace(EVENT, times=Times(3, None)),), within=DAY)}, DAY),
        ({"pattern": Pattern((EVENT, EVENT, EVENT), within=DAY, within_kind="previous_current")}, 2 * DAY),
        ({"pattern": Pattern((EVENT, Step("absent", ("x",), "x")), DAY, "previous_current")}, DAY),
        (
            {
                "pattern": Pattern(
                    (msgspec.structs.replace(EVENT, times=Times(1, None)), EVENT), DAY, "previous_current"
                )
            },
            None,
        ),
        ({"limits": Limits(caps=("c",))}, 10 * MINUTE + DAY),
        ({"send": SENDS}, 16 * MINUTE),
        ({"variants": (Variant("x", 1, SENDS[:1]), Variant("y", 1, SENDS))}, 16 * MINUTE),
    ],
)
def test_how_long_a_definition_drains(fields: dict[str, Any], expected: int | None) -> None:
    assert drain_time(activity(**fields), Policy(caps=CAP)) == expected


# ------------------------------------------------------------------------------------------------------------ metrics
SPEND = Metric("spend", "sum", ("purchase",), "amount", window=30 * DAY)
EVER = Metric("ever", "count", ("purchase",))


def reader(metric: str, name: str = "a", **fields: Any) -> Activity:
    return activity(name, audience=Audience(where=f"metric.{metric} > 1"), **fields)


def rules(*activities: Activity, metrics: tuple[Metric, ...] = (SPEND, EVER)) -> RuleSet:
    return RuleSet({a.name: a for a in activities}, metrics={metric.name: metric for metric in metrics})


def test_a_metric_is_complete_a_window_after_its_first_release() -> None:
    made = plan(None, rules(reader("spend")), accept_cold=True)
    assert [(m.metric, m.since, m.complete_from, m.readers) for m in made.metrics] == [
        ("ever", NOW, None, ()),
        ("spend", NOW, NOW + 30 * DAY, ("a",)),
    ]
    later = change_of(made.release, rules(reader("spend", priority=1)), NOW + 30 * DAY)
    assert [m.metric for m in later.metrics] == ["ever"]
    assert later.refusals == ()


def test_an_activity_that_reads_an_incomplete_metric_is_refused() -> None:
    for metric in ("spend", "ever"):
        made = plan(None, rules(reader(metric)))
        assert made.refusals == (f"a: reads metric.{metric}, which is not complete yet",)
        assert plan(None, rules(reader(metric)), accept_cold=True).refusals == ()


def test_what_was_accepted_once_is_not_refused_again() -> None:
    first = plan(None, rules(reader("ever")), accept_cold=True).release
    assert change_of(first, rules(reader("ever"), activity("b")), NOW + 1).refusals == ()
    assert change_of(first, rules(reader("ever", state="paused", title="x")), NOW + 1).refusals == ()
    changed = change_of(first, rules(reader("ever", priority=1)), NOW + 1)
    assert changed.refusals == ("a: reads metric.ever, which is not complete yet",)


def test_going_live_is_a_beginning_too() -> None:
    first = plan(None, rules(reader("ever", state="draft")), accept_cold=True).release
    assert change_of(first, rules(reader("ever")), NOW + 1).refusals != ()


def test_another_definition_under_the_same_name_starts_anew() -> None:
    first = plan(None, rules(reader("spend")), accept_cold=True).release
    other = msgspec.structs.replace(SPEND, of=("purchase", "refund"))
    made = change_of(first, rules(activity(), metrics=(other, EVER)), NOW + 40 * DAY)
    assert made.release.counting_since == {
        metric_key(other): NOW + 40 * DAY,
        metric_key(EVER): NOW,
    }


CROWDS: dict[str, Crowd] = {
    "buyers": RuleCrowd("metric.m1 >= 1"),
    "big": RuleCrowd('in_crowd("buyers") and prior.m2 > 3'),
    "both": SetCrowd("union", ("big", RuleCrowd("metric.m3 > 1"))),
    "tenth": Sample(0.1, "both"),
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"audience": Audience(where="metric.m1 > prior.m2")}, {"m1", "m2"}),
        ({"audience": Audience(all_of=("big",))}, {"m1", "m2"}),
        ({"audience": Audience(any_of=("buyers",))}, {"m1"}),
        ({"audience": Audience(not_in=("both",))}, {"m1", "m2", "m3"}),
        ({"audience": Audience(control="tenth")}, {"m1", "m2", "m3"}),
        ({"audience": Audience(where='in_crowd("buyers")')}, {"m1"}),
        ({"pattern": Pattern((msgspec.structs.replace(EVENT, where="metric.m4 == 1"),))}, {"m4"}),
        ({"pattern": Pattern((msgspec.structs.replace(EVENT, until="metric.m4 == 1"),))}, {"m4"}),
        ({"data": {"x": "metric.m5"}}, {"m5"}),
        ({"send": (Send("sms", data={"x": "metric.m6"}),)}, {"m6"}),
        ({"variants": (Variant("x", 1, (Send("sms", data={"x": "metric.m6"}),)),)}, {"m6"}),
        ({"goal": Goal(("t",), DAY, "metric.m7 > 1", "metric.m8")}, {"m7", "m8"}),
        ({}, set()),
    ],
)
def test_every_place_that_can_read_a_metric_is_seen(fields: dict[str, Any], expected: set[str]) -> None:
    assert metric_readers(RuleSet({"a": activity(**fields)}, crowds=CROWDS)) == dict.fromkeys(expected, ("a",))
