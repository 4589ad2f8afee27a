"""Properties of the pattern engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import msgspec
from hypothesis import HealthCheck, assume, given, settings

from kairos.engine.pattern import AfterMatch, Match, Pattern, Runs
from tests.conformance.harness import Case, ids, run
from tests.conformance.strategies import FLINK_STRATEGIES, cases
from tests.properties.pattern_by_definition import Definition

SEARCH = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
BOTH_KINDS = ("first_last", "previous_current")


def plain(pattern: Pattern) -> bool:
    """What the definition covers: Flink gives an `absent` before a range or an optional step a life of its own."""
    for before, step in zip(pattern.steps, pattern.steps[1:], strict=False):
        ranged = step.times is not None and step.times.least != step.times.most and step.times.most is not None
        skipped = step.optional or (step.times is not None and step.times.least == 0)
        if before.kind == "absent" and (ranged or skipped or step.kind != "event"):
            return False
    return not any(step.greedy for step in pattern.steps)


def told(steps: dict[str, list[str]], at: int, first: int) -> str:
    return f"{sorted(steps.items())} at {at}, since {first}"


def tell(matches: list[Match]) -> list[str]:
    return [told(steps, m.at, m.first) for m, steps in zip(matches, ids(matches), strict=True)]


@SEARCH
@given(case=cases(size=7, strategies=("no_skip",), within_kinds=BOTH_KINDS))
def test_matches_are_those_of_the_definition(case: Case) -> None:
    assume(plain(case.pattern))
    expected = [told(found.steps, found.at, found.first) for found in Definition(case.pattern, case.events).matches()]
    assert Counter(tell(run(case))) == Counter(expected)


@SEARCH
@given(case=cases(strategies=(*FLINK_STRATEGIES, "exclusive"), within_kinds=BOTH_KINDS))
def test_restoring_the_state_at_any_point_changes_nothing(case: Case) -> None:
    def restored(runs: Runs | None) -> Runs | None:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(runs), type=Runs | None)

    assert tell(run(case, restored)) == tell(run(case))


@SEARCH
@given(case=cases(strategies=(*FLINK_STRATEGIES, "exclusive"), within_kinds=BOTH_KINDS))
def test_state_holds_the_events_that_runs_have_taken_and_no_others(case: Case) -> None:
    steps = len(case.pattern.steps)

    def checked(runs: Runs | None) -> Runs | None:
        if runs is not None:
            assert runs.runs or runs.waiting
            taken = [run.taken for run in runs.runs] + list(runs.waiting)
            assert {mark // steps for marks in taken for mark in marks} == set(runs.events)
            assert [marks[0] // steps for marks in taken[: len(runs.runs)]] == sorted(
                marks[0] // steps for marks in taken[: len(runs.runs)]
            )
        return runs

    run(case, checked)


@SEARCH
@given(case=cases(strategies=("exclusive",), within_kinds=BOTH_KINDS))
def test_exclusive_is_its_definition(case: Case) -> None:
    """Of all matches in the order of their completion: the best one, unless it began before the last one ended."""
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
    assert tell(run(case)) == tell(expected)
