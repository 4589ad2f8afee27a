"""Properties of the pattern engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.expression import compile_condition
from kairos.engine.expression.scope import Facts
from kairos.engine.pattern import AfterMatch, Match, Pattern, Runs, Step, Times, compile_pattern, surplus
from kairos.engine.pattern.marks import each
from tests.conformance.harness import END_OF_TIME, Case, ids, matcher_of, run
from tests.conformance.strategies import FLINK_STRATEGIES, cases, patterns, repaired, streams
from tests.properties.twins.pattern_by_definition import Definition

SEARCH = settings(max_examples=200, derandomize=True)
BOTH_KINDS = ("first_last", "previous_current")


def skippable(step: Step) -> bool:
    return step.optional or (step.times is not None and step.times.least == 0)


def ranged(step: Step) -> bool:
    return step.times is not None and step.times.least != step.times.most


def plain(pattern: Pattern) -> bool:
    """What the definition covers; docs/conformance.md tells what Flink makes of the rest."""
    forbidden_next: set[str] = set()
    for step in reversed(pattern.steps):  # a repetition, then forbidden as the next event what would repeat it
        if step.kind == "event":
            if ranged(step) and forbidden_next & set(step.types):
                return False
            forbidden_next = set()
        elif step.kind == "not_next":
            forbidden_next |= set(step.types)
    for index, (before, step) in enumerate(zip(pattern.steps, pattern.steps[1:], strict=False)):
        bounded = ranged(step) and step.times is not None and step.times.most is not None
        overlaps = bool(set(before.types) & set(step.types))
        if before.kind == "absent" and (bounded or skippable(step) or step.kind != "event" or overlaps):
            return False
        if before.kind == "not_next" and all(skippable(later) for later in pattern.steps[index + 1 :]):
            return False
    return not any(step.greedy for step in pattern.steps)


def told(steps: dict[str, list[str]], at: int, first: int) -> str:
    return f"{sorted(steps.items())} at {at}, since {first}"


def tell(matches: list[Match]) -> list[str]:
    return [told(steps, m.at, m.first) for m, steps in zip(matches, ids(matches), strict=True)]


@SEARCH
@given(case=cases(size=7, strategies=("no_skip",), within_kinds=BOTH_KINDS, own_within=True))
def test_matches_are_those_of_the_definition(case: Case) -> None:
    assume(plain(case.pattern))
    expected = [told(found.steps, found.at, found.first) for found in Definition(case.pattern, case.events).matches()]
    assert Counter(tell(run(case))) == Counter(expected)


@SEARCH
@given(case=cases(strategies=(*FLINK_STRATEGIES, "exclusive"), within_kinds=BOTH_KINDS, own_within=True))
def test_restoring_the_state_at_any_point_changes_nothing(case: Case) -> None:
    def restored(runs: Runs | None) -> Runs | None:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(runs), type=Runs | None)

    assert tell(run(case, restored)) == tell(run(case))


@SEARCH
@given(case=cases(strategies=(*FLINK_STRATEGIES, "exclusive"), within_kinds=BOTH_KINDS, own_within=True))
def test_state_holds_the_events_that_runs_have_taken_and_no_others(case: Case) -> None:
    steps = len(case.pattern.steps)

    def checked(runs: Runs | None) -> Runs | None:
        if runs is not None:
            assert runs.runs or runs.waiting
            taken = [run.taken for run in runs.runs] + list(runs.waiting)
            assert {mark // steps for marks in taken for mark in each(marks, steps)} == set(runs.events)
            assert [marks[0] // steps for marks in taken[: len(runs.runs)]] == sorted(
                marks[0] // steps for marks in taken[: len(runs.runs)]
            )
        return runs

    run(case, checked)


@SEARCH
@given(case=cases(strategies=(*FLINK_STRATEGIES, "exclusive"), within_kinds=BOTH_KINDS, own_within=True))
def test_time_alone_gives_a_match_at_its_deadlines_only(case: Case) -> None:
    matcher = matcher_of(case.pattern)

    def waited(runs: Runs | None) -> Runs | None:
        deadline = matcher.next_deadline(runs)
        before = END_OF_TIME if deadline is None else deadline - 1
        assert matcher.on_time(runs, before)[1] == []
        return runs

    run(case, waited)


@SEARCH
@given(
    case=cases(strategies=(*FLINK_STRATEGIES, "exclusive"), within_kinds=BOTH_KINDS, own_within=True),
    step=st.integers(1, 3),
)
def test_it_does_not_matter_how_often_time_is_told(case: Case, step: int) -> None:
    """The engine tells a deadline as late as it can: at the next event. Telling every millisecond is the same."""
    matcher, scope = matcher_of(case.pattern), Facts()
    runs: Runs | None = None
    found: list[Match] = []
    now = 0
    for event in (event for event in case.events if event.type in matcher.types):
        for moment in range(now, event.time, step):
            runs, matches = matcher.on_time(runs, moment)
            found += matches
        now = event.time
        scope.event, scope.props = event, event.props
        runs, matches = matcher.on_event(runs, event, scope)
        found += matches
    assert tell(found + matcher.on_time(runs, END_OF_TIME)[1]) == tell(run(case))


def _deaf_to_others(step: Step) -> Step:
    """The step without what would make an event of another type matter."""
    contiguity: Any = "relaxed" if step.next == "strict" else step.next
    inside: Any = "relaxed" if step.inside == "consecutive" else step.inside
    return msgspec.structs.replace(step, next=contiguity, inside=inside, until=None)


@st.composite
def late_events(draw: st.DrawFn) -> tuple[Case, Event, int]:
    """A pattern that ends with the absence of what no other step speaks of; such an event; how many are seen before."""
    steps = draw(patterns(strategies=("no_skip",), nots=False)).steps
    steps = tuple(_deaf_to_others(step) for step in steps)
    forbids = Step("absent", ("n",), "never", draw(st.none() | st.just('["ge", 1]')))
    kind = draw(st.sampled_from(BOTH_KINDS))
    pattern = repaired(Pattern((*steps, forbids), draw(st.sampled_from([4, 8])), kind, AfterMatch("no_skip")))
    named = {name for step in steps for name in step.types}
    events = tuple(event for event in draw(streams(7)) if event.type in named)
    assume(events)
    place = draw(st.integers(0, len(events) - 1))
    late = Event(
        "late", "n", events[place].time, events[place].source + "+", {"name": "", "x": draw(st.integers(0, 1))}
    )
    return Case(pattern, events), late, draw(st.integers(place + 1, len(events)))


@SEARCH
@given(given_late=late_events())
def test_a_late_event_prevents_what_it_would_have_prevented_and_is_not_decided(
    given_late: tuple[Case, Event, int],
) -> None:
    case, late, seen_before = given_late
    matcher, scope = matcher_of(case.pattern), Facts()
    runs: Runs | None = None
    found: list[Match] = []
    for number, event in enumerate(case.events, 1):
        scope.event, scope.props = event, event.props
        runs, matches = matcher.on_event(runs, event, scope)
        found += matches
        if number == seen_before:
            runs, matches = matcher.on_time(runs, event.time)
            found += matches
            decided = set(tell(found))
            scope.event, scope.props = late, late.props
            runs, _ = matcher.on_late(runs, late, scope)
    found += matcher.on_time(runs, END_OF_TIME)[1]

    in_order = tuple(sorted((*case.events, late), key=lambda event: event.order))
    prevented = set(tell(run(case))) - set(tell(run(replace(case, events=in_order)))) - decided
    assert sorted(tell(found)) == sorted(told for told in tell(run(case)) if told not in prevented)


@SEARCH
@given(case=cases(strategies=("exclusive",), within_kinds=BOTH_KINDS, own_within=True))
def test_exclusive_is_its_definition(case: Case) -> None:
    """Of all matches in the order of their completion: the best one, unless it began before the last one ended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surplus, "FEW", 0)
        best = run(case)
    every = run(replace(case, pattern=msgspec.structs.replace(case.pattern, after_match=AfterMatch("no_skip"))))
    types = {name for step in case.pattern.steps for name in step.types}
    place = {event.id: n for n, event in enumerate(e for e in case.events if e.type in types)}

    def span(match: Match) -> tuple[int, int, int]:
        taken = [place[event.id] for events in match.steps.values() for event in events]
        return taken[0], taken[-1], len(taken)

    def completion(match: Match) -> tuple[int, int]:
        """A deadline comes before the events of its time."""
        if case.pattern.steps[-1].kind == "absent":
            return match.at, -1
        return match.at, span(match)[1] + (case.pattern.steps[-1].kind == "not_next")

    ranked = sorted(every, key=lambda m: (completion(m), span(m)[0], -span(m)[2]))
    keys = [(completion(m), span(m)[0], span(m)[2]) for m in ranked]
    assume(len(set(keys)) == len(keys))  # among equals the first created wins, which only the automaton knows
    expected: list[Match] = []
    end = -1
    for match in ranked:
        first, last, _ = span(match)
        if first > end:
            expected.append(match)
            end = max(end, last)
    assert tell(run(case)) == tell(best) == tell(expected)


TWICE = Times(2, None)
NATIVE = {
    "first": (Step("event", ("a",), "a", times=TWICE), Step("event", ("b",), "b", where="x == a.first.x")),
    "last": (Step("event", ("a",), "a", times=TWICE), Step("event", ("b",), "b", where="x >= a.x")),
    "count": (Step("event", ("a",), "a", times=TWICE), Step("event", ("b",), "b", where="x == a.count")),
    "soon": (Step("event", ("a",), "a", times=TWICE), Step("event", ("b",), "b", within=3)),
    "quiet": (Step("event", ("a",), "a", times=TWICE), Step("absent", ("c",), "c", within=3)),
    "nothing": (Step("event", ("a",), "a", times=TWICE), Step("event", ("b",), "b"), Step("event", ("c",), "c")),
    "any": (Step("event", ("a",), "a"), Step("event", ("b",), "b", next="any"), Step("absent", ("c",), "c")),
    "itself": (Step("event", ("a",), "a", times=TWICE, where="x >= a.first.x"), Step("event", ("b",), "b")),
    "earlier": (
        Step("event", ("a",), "a"),
        Step("event", ("b",), "b", times=TWICE, inside="any"),
        Step("event", ("c",), "c", where="x == a.x and x >= b.first.x"),
    ),
}  # fmt: skip


@SEARCH
@given(
    reads=st.sampled_from(sorted(NATIVE)),
    within_kind=st.sampled_from(BOTH_KINDS),
    told=st.lists(st.tuples(st.sampled_from("aabbc"), st.integers(0, 3), st.booleans()), max_size=14),
)
def test_what_is_left_out_as_surplus_would_have_come_to_nothing(
    reads: str, within_kind: Any, told: list[tuple[str, int, bool]]
) -> None:
    """Late events, too, stop what they would have stopped."""
    pattern = Pattern(NATIVE[reads], 12, within_kind)

    def matches(few: int) -> list[Any]:
        matcher = compile_pattern(pattern, lambda c: compile_condition(c, None), {"": frozenset("x")}, 1_000)
        runs, scope, found = None, Facts(), list[Any]()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(surplus, "FEW", few)
            for time, (name, x, late) in enumerate(((n, x, y) for n, x, y in told if n in matcher.types), 1):
                event = Event(f"e{time}", name, time - 3 if late else time, "", {"x": x})
                scope.event, scope.props = event, event.props
                if late:
                    runs, _ = matcher.on_late(runs, event, scope)
                    continue
                runs, done = matcher.on_event(runs, event, scope)
                found += done
            return tell([*found, *matcher.on_time(runs, END_OF_TIME)[1]])

    assert matches(0) == matches(10**9)
