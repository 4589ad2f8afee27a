"""A user is looked at by one timer: whatever is decided is decided as soon as the watermark allows it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.expression import parse
from kairos.engine.expression.compile import compile_tree
from kairos.engine.expression.foreseen import foreseen
from kairos.engine.expression.scope import UTC, Facts
from kairos.engine.rule.model import RuleSet
from tests.properties.twins.engine_world import Job, disordered, job, lateness_after, rule_sets, streams, told


def look_at_all(eager: Job, watermark: int) -> None:
    """What no timer asks for is found, too."""
    eager.advance(watermark)
    for user, state in list(eager.states.items()):
        eager.effects += eager.engine.on_time(user, state, watermark)
        eager._save(user, state)


@settings(max_examples=300)
@given(rule_set=rule_sets(), events=streams(), data=st.data())
def test_nothing_that_is_due_waits_for_somebody_to_look(
    rule_set: RuleSet, events: list[Event], data: st.DataObject
) -> None:
    arrived = data.draw(disordered(events))
    timed, eager = job(rule_set, events), job(rule_set, events)
    for event, allowed in zip(arrived, lateness_after(arrived), strict=True):
        timed.take(event)
        eager.take(event)
        if data.draw(st.booleans()):
            timed.advance(allowed)
            look_at_all(eager, timed.watermark)
            assert told(timed.decisions()) == told(eager.decisions())
    for at in sorted({event.time + later for event in events for later in (0, 60_000, 120_000, 300_000)}):
        timed.advance(max(at, timed.watermark))
        look_at_all(eager, timed.watermark)
        assert told(timed.decisions()) == told(eager.decisions())
    timed.advance(END_OF_TIME)
    eager.advance(END_OF_TIME)
    assert told(timed.decisions()) == told(eager.decisions())


ZONES = ("UTC", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Asia/Kathmandu")
ATOMS = (
    "n > 1", "n == 2", "prior.last == null", "prior.seen >= 2", "metric.any > 1", "profile.level == 1",
    "in_crowd('vip')", "hour(event.time) < 12", "not (n > 1)", "not exists(prior.last)", "days_since(prior.last) >= 1",
    "days_since(prior.last) > 0", "2 <= days_since(prior.last)", "days_since(prior.last) == 1",
    "days_since(prior.last) < 3", "days_since(prior.last) <= 0", "1 < days_since(prior.last) <= 4",
    "days_since(prior.last) != 2", "days_since(day) >= 1", "days_since(profile.born) >= 1", "-1 >= days_since(day)",
    "days_since(coalesce(prior.last, day)) > 1", "days_since(n) > prior.seen", "date(event.time) == day",
)  # fmt: skip
CONDITIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.tuples(inner, st.sampled_from(("and", "or")), inner).map(lambda it: f"({' '.join(it)})"),
    max_leaves=5,
)
NOON = 1_325_160_000_000  # 29 December 2011: Apia went without the day after it
HOUR = 3_600_000
AROUND = st.integers(-5 * 24, 5 * 24).map(lambda hours: NOON + hours * HOUR)


@settings(max_examples=500)
@given(
    condition=CONDITIONS,
    now=AROUND,
    last=st.none() | AROUND | st.just("no time"),
    n=st.integers(0, 3),
    day=st.sampled_from(("2011-12-29", "2011-12-31", "2011-12-29T10:00", "2011-12-30T23:00Z", None)),
    zone=st.sampled_from(ZONES),
    yes=st.booleans(),
)
def test_what_is_foreseen_holds_wherever_the_condition_does(
    condition: str, now: int, last: Any, n: int, day: str | None, zone: str, yes: bool
) -> None:
    tree = parse(condition).tree
    known = foreseen(tree)
    if known is None:
        return
    event = Event("e", "a", now, "", {"n": n, "day": day}, "u1")
    prior = {"last": last, "seen": n}.get
    alone = Facts(event.props, event, prior=prior, now=now, zone=ZoneInfo(zone))
    whole = Facts(
        event.props, event, profile={"level": int(yes), "born": last}, metric=lambda _: n, prior=prior,
        in_crowd=lambda _: yes, now=now, zone=ZoneInfo(zone),
    )  # fmt: skip
    if compile_tree(tree, truth=True)(whole):
        assert compile_tree(known, truth=True, zone=UTC)(alone)


def test_silence_is_foreseen_to_the_day_either_way() -> None:
    """So that hardly an event of a user who is there every day asks for a timer."""
    known = foreseen(parse("days_since(prior.last) >= 14").tree)
    assert known is not None
    event = Event("e", "a", NOON, "", {}, "u1")

    def may_hold(days: int) -> bool:
        last = NOON - days * 24 * HOUR
        return bool(compile_tree(known, truth=True, zone=UTC)(Facts({}, event, prior=lambda _: last, now=NOON)))

    assert [days for days in range(30) if may_hold(days)] == list(range(12, 30))
    assert not compile_tree(known, truth=True, zone=UTC)(Facts({}, event, now=NOON))
    assert foreseen(parse("metric.any > 1 or n > 1").tree) is None
