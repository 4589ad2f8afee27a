"""Cases in batches, against a plain list: each question has the same answers, however much is packed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.user import cases as module
from kairos.engine.user.case import Case
from kairos.engine.user.cases import (
    add,
    bytes_of,
    drop_lapsed,
    due_by,
    every,
    first_due,
    going,
    going_or_last,
    lapses,
    naming,
    put_away,
    remove,
    waiting,
)
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, rules, run
from tests.properties.twins.engine_world import GRID, PROFILES, job, told

ACTIVITIES = ("a", "b", "ab", "é")
PARTS = ("", "a", "p", "pp")
TIMES = st.integers(1, 9)
CHANGES: tuple[Callable[[Case, int], None], ...] = (
    lambda case, time: case.hold(time, "cap:m", 0),
    lambda case, time: case.send(0, "sms", time),
    lambda case, time: case.stand_in(time, 1),
    lambda case, time: case.keep(time),
    lambda case, _time: case.close(),
)
steps = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(ACTIVITIES), st.sampled_from(PARTS), TIMES),
    st.tuples(st.just("change"), st.integers(0, 40), st.sampled_from(CHANGES), TIMES),
    st.tuples(st.just("remove"), st.integers(0, 40), st.none(), st.none()),
    st.tuples(st.just("write"), st.integers(0, 4), st.none(), st.none()),
    st.tuples(st.just("sweep"), TIMES, st.none(), st.none()),
)


@pytest.fixture(scope="module", autouse=True)
def _small_batches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "EACH", 3)
        yield


def names(cases: object) -> list[str]:
    assert isinstance(cases, list)
    return [case.occurrence for case in cases]


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=40), st.sampled_from(ACTIVITIES), st.sampled_from(PARTS), TIMES)
def test_batches_are_a_list(walk: list[tuple], activity: str, part: str, time: int) -> None:  # type: ignore[type-arg]
    state, twin, codec = UserState(), list[Case](), StateCodec(few=2)
    for number, (what, one, two, three) in enumerate(walk):
        if what == "add":
            for kept in (case := Case(one, "v", f"o{number}", two, three, {}), twin_of(case)):
                add(state, kept) if kept is case else twin.append(kept)
        elif what == "change" and twin:
            two(case := twin[one % len(twin)], three)
            (found,) = (each for each in naming(state, None, case.occurrence) if each.occurrence == case.occurrence)
            two(found, three)
        elif what == "remove" and twin:
            gone = twin.pop(one % len(twin)).occurrence
            remove(state, next(case for case in naming(state, None, gone) if case.occurrence == gone))
        elif what == "write":
            put_away(state, one)
            state = codec.decode(codec.encode(state))
        elif what == "sweep":
            drop_lapsed(state, one)
            twin = [case for case in twin if case.is_waiting or case.keep_until > one]
            assert min(filter(None, lapses(state)), default=0) == min(
                filter(None, (c.keep_until for c in twin)), default=0
            )
    _same_answers(state, twin, activity, part, time)
    assert names(every(state)) == names(twin)


def twin_of(case: Case) -> Case:
    return Case(case.activity, case.version, case.occurrence, case.part, case.matched_at, {})


def _first(cases: list[Case]) -> int:
    return min((time for case in cases for time in (case.held_until, case.fallback_at) if time), default=0)


def _same_answers(state: UserState, twin: list[Case], activity: str, part: str, time: int) -> None:
    mine = [case for case in twin if case.activity == activity]
    assert bytes_of(state) == bytes_of(UserState(cases=twin))
    assert first_due(state) == first_due(UserState(cases=twin)) == _first(twin)
    assert names(due_by(state, time)) == names([case for case in twin if case.due_by(time)])
    assert names([case for case in waiting(state) if case.is_waiting]) == names([c for c in twin if c.is_waiting])
    found = [case for case in naming(state, (activity,), part) if case.activity == activity and case.part == part]
    assert names(found) == names([case for case in mine if case.part == part])
    found = [case for case in naming(state, (activity, "never")) if case.activity == activity]
    assert names(found) == names(mine)
    found = [case for case in going(state, (activity,)) if case.activity == activity and case.may_still_go]
    assert names(found) == names([case for case in mine if case.may_still_go])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIVITIES), TIMES, st.booleans(), st.booleans()), max_size=20), TIMES)
def test_of_those_that_count_the_last_one_is_found(sent: list[tuple[str, int, bool, bool]], since: int) -> None:
    state = UserState()
    for number, (activity, at, closed, control) in enumerate(sent):
        case = Case(activity, "v", f"o{number}", "", at, {}, attempt=1, sent_at=at, closed=closed, control=control)
        add(state, case)
        put_away(state, 2)

    def counts(case: Case) -> bool:
        return case.activity == "a" and case.control and case.sent_at > since

    asked = [f"o{n}" for n, (activity, at, _, control) in enumerate(sent) if activity == "a" and control and at > since]
    goes = [f"o{n}" for n, (activity, _, closed, _) in enumerate(sent) if activity == "a" and not closed]
    last = max(asked, key=lambda name: (sent[int(name[1:])][1], name), default=None)
    found = names(going_or_last(state, "a", counts, since))
    assert {*goes, *([last] if last else [])} <= set(found)
    assert found == sorted(found, key=lambda name: int(name[1:]))


def test_what_an_event_does_not_concern_is_not_unpacked() -> None:
    state = UserState()
    for number in range(30):
        add(state, Case("a" if number < 27 else "b", "v", f"o{number}", "", number, {}, keep_until=100))
        put_away(state, 2)
    assert len(naming(state, ("other",))) == len(going(state, ("a",))) == len(waiting(state)) == 2
    assert not due_by(state, 50)
    assert all(batch.opened is None for batch in state.packed_cases)
    assert "o4" in names(naming(state, ("a",), "o4"))
    assert sum(batch.opened is not None for batch in state.packed_cases) == 1


def test_a_goal_that_reads_what_a_case_has_taken_finds_it_among_many() -> None:
    sold = "activity: sold\ntrigger: {event: a}\nsend: [{channel: sms, template: t}]\n"
    rule_set = rules(sold + "goal: {event: c, within: 1h, where: n == a.n}\n")
    told_of = [("a", n) for n in range(20)] + [("c", n) for n in (3, 17, 3, 20)]
    events = [Event(f"e{n}", kind, BASE + n * GRID, "", {"n": i}, "u1") for n, (kind, i) in enumerate(told_of)]
    running = job(rule_set, events, snapshots=True)
    for event in events:
        running.take(event)
        running.advance(event.time)
    running.advance(END_OF_TIME)
    assert told(running.decisions()) == told(run(rule_set, events, PROFILES))
    assert [record.at for record in running.decisions() if record.outcome == "goal"] == [
        events[20].time,
        events[21].time,
    ]
