"""What must hold of the engine whatever the rules and the stream."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.model import RuleSet
from kairos.engine.user import cases, ends, remembered, seen, tail
from tests.engine_kit import rules, run
from tests.properties.twins.engine_world import PROFILES, disordered, job, lateness_after, rule_sets, streams, told

EXAMPLES = settings(max_examples=60)


@pytest.fixture(scope="module", autouse=True)
def _packed_early() -> Iterator[None]:
    """Tails of these worlds are short, cases and values of `per` few: so that they are taken for many nonetheless."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tail, "MOST", 3)
        patched.setattr(tail, "EACH", 2)
        patched.setattr(cases, "EACH", 2)
        patched.setattr(ends, "MANY", 0)
        patched.setattr(seen, "BUCKET", seen.RECORD)
        patched.setattr(remembered, "NEWEST", 1)
        yield


@EXAMPLES
@given(rule_set=rule_sets(), events=streams(), data=st.data())
def test_the_result_does_not_depend_on_the_order_of_arrival(
    rule_set: RuleSet, events: list[Event], data: st.DataObject
) -> None:
    arrived = data.draw(disordered(events))
    assert told(run(rule_set, arrived, PROFILES, as_arrived=True)) == told(run(rule_set, events, PROFILES))


@EXAMPLES
@given(rule_set=rule_sets(), events=streams(), data=st.data())
def test_nor_on_how_the_watermark_moves_or_on_snapshots_between_any_two_calls(
    rule_set: RuleSet, events: list[Event], data: st.DataObject
) -> None:
    arrived = data.draw(disordered(events))
    running = job(rule_set, events, snapshots=True)
    for event, allowed in zip(arrived, lateness_after(arrived), strict=True):
        running.take(event)
        if data.draw(st.booleans()):
            running.advance(allowed - data.draw(st.sampled_from((0, 0, 1, 700, 60_000))))
    running.advance(END_OF_TIME)
    assert told(running.decisions()) == told(run(rule_set, events, PROFILES))


@EXAMPLES
@given(rule_set=rule_sets(), events=streams())
def test_users_do_not_know_of_each_other(rule_set: RuleSet, events: list[Event]) -> None:
    apart = [
        record
        for user in {event.user_id for event in events}
        for record in run(rule_set, [event for event in events if event.user_id == user], PROFILES)
    ]
    assert told(apart) == told(run(rule_set, events, PROFILES))


@EXAMPLES
@given(rule_set=rule_sets(), events=streams(), data=st.data())
def test_a_restore_decides_nothing_else_than_an_undisturbed_run(
    rule_set: RuleSet, events: list[Event], data: st.DataObject
) -> None:
    """What went out between the checkpoint and the crash goes out again, under the same keys."""
    arrived = data.draw(disordered(events))
    saved_at = data.draw(st.integers(0, len(arrived)))
    crashed_at = data.draw(st.integers(saved_at, len(arrived)))
    allowed = lateness_after(arrived)
    running = job(rule_set, events)
    checkpoint = running.checkpoint()
    for place in range(crashed_at):
        if place == saved_at:
            checkpoint = running.checkpoint()
        running.take(arrived[place])
        running.advance(allowed[place])
    if saved_at == crashed_at:
        checkpoint = running.checkpoint()
    running.restore(checkpoint)
    for event in arrived[saved_at:]:  # another pace than before
        running.take(event)
    running.advance(END_OF_TIME)
    first = {record.key: record for record in reversed(running.decisions())}
    assert told(first.values()) == told(run(rule_set, events, PROFILES))


@EXAMPLES
@given(rule_set=rule_sets(), events=streams(receipts=False))
def test_a_rule_that_no_event_touches_costs_no_state(rule_set: RuleSet, events: list[Event]) -> None:
    more = rules("activity: idle\ntrigger: {count: never, times: 3, within: 1d}\nlimits: {once: ever}\n").activities
    larger = msgspec.structs.replace(rule_set, activities={**rule_set.activities, **more})
    encoded = []
    for tried in (rule_set, larger):
        running = job(tried, events)
        for event in events:
            running.take(event)
            running.advance(event.time)
        encoded.append({user: running.codec.encode(state) for user, state in running.states.items()})
    assert encoded[0] == encoded[1]


@EXAMPLES
@given(rule_set=rule_sets(), events=streams())
def test_a_silent_user_s_state_is_empty_in_the_end_and_no_timer_is_left(rule_set: RuleSet, events: list[Event]) -> None:
    """But for what lasts for ever: `once: ever`."""
    running = job(rule_set, events)
    for event in events:
        running.take(event)
    running.advance(END_OF_TIME)
    assert not running.timers
    lasting = {name for name, activity in rule_set.activities.items() if activity.limits.once == "ever"}
    for state in running.states.values():
        assert state.once.keys() <= lasting
        state.once = {}
        assert state.empty


@EXAMPLES
@given(rule_set=rule_sets(), events=streams())
def test_records_come_in_their_order_and_none_twice(rule_set: RuleSet, events: list[Event]) -> None:
    simulation = Simulation(rule_set, PROFILES)
    records = list(simulation.run(events))
    ranks = [(r.at, -rule_set.activities[r.activity].priority, r.activity, r.user_id) for r in records]
    assert ranks == sorted(ranks)
    keys = [record.key for record in records]
    assert len(keys) == len(set(keys))
