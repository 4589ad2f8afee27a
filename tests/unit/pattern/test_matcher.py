"""Time, late events, limits and state: what Flink's tests say nothing about."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from kairos.engine.expression.condition import Condition, Script
from kairos.engine.pattern import AfterMatch, Pattern, Runs, Step, Times, compile_pattern
from tests.conformance.conditions import Holds, compile_condition
from tests.conformance.harness import matcher_of
from tests.unit.pattern.stream import Partition, event

A = Step("event", ("a",), "a")
B = Step("event", ("b",), "b")
C = Step("event", ("c",), "c")
NO_B = Step("absent", ("b",), "no_b")


def start(*steps: Step, within: int | None = 10, max_runs: int = 100, **settings: Any) -> Partition:
    if "after_match" in settings:
        settings["after_match"] = AfterMatch(*settings["after_match"].split())
    return Partition(matcher_of(Pattern(steps, within, **settings), max_runs))


def many(least: int, most: int | None = None, **settings: Any) -> Step:
    return Step("event", ("a",), "a", times=Times(least, most), **settings)


class TestFinalAbsence:
    def test_is_decided_at_its_deadline(self) -> None:
        partition = start(A, NO_B)
        assert partition.see("a@5") == []
        assert partition.matcher.next_deadline(partition.runs) == 15
        assert partition.wait(14) == []
        assert partition.wait(20) == [(["a@5"], 15)]
        assert partition.runs is None

    def test_is_over_at_exactly_within(self) -> None:
        partition = start(A, NO_B)
        assert partition.see("a@5 b@15") == [(["a@5"], 15)]

    def test_is_cancelled_before(self) -> None:
        partition = start(A, NO_B)
        assert partition.see("a@5 b@14") == []
        assert partition.runs is None

    def test_several_deadlines_are_decided_in_their_order(self) -> None:
        partition = start(A, NO_B, after_match="no_skip")
        partition.see("a1@1 a2@2 a3@3")
        assert partition.wait(100) == [(["a1@1"], 11), (["a2@2"], 12), (["a3@3"], 13)]

    def test_counts_from_the_last_event_where_gaps_are_bounded(self) -> None:
        partition = start(A, C, NO_B, within_kind="previous_current")
        partition.see("a@1 c@9")
        assert partition.matcher.next_deadline(partition.runs) == 19

    @pytest.mark.parametrize(
        ("step", "stream", "expected"),
        [
            (many(1), "a1@1", [["a1@1"]]),
            (many(1), "a1@1 a2@2", [["a1@1"], ["a1@1", "a2@2"], ["a2@2"]]),
            (many(1, greedy=True), "a1@1 a2@2", [["a1@1", "a2@2"], ["a2@2"]]),
            (many(2), "a1@1", []),
            (many(1, 2), "a1@1", [["a1@1"]]),
            (many(1, 2), "a1@1 a2@2", [["a1@1"], ["a1@1", "a2@2"], ["a2@2"]]),
            (many(2, 3), "a1@1 a2@2", [["a1@1", "a2@2"]]),
            (many(2, 2), "a1@1 a2@2", [["a1@1", "a2@2"]]),
            (many(1, inside="consecutive"), "a1@1 c@2", [["a1@1"]]),
        ],
    )
    def test_is_decided_whatever_the_quantifier_before_it(
        self, step: Step, stream: str, expected: list[list[str]]
    ) -> None:
        partition = start(step, Step("absent", ("b", "c"), "no_b", where='["ge", 1]'), after_match="no_skip")
        partition.see(stream)
        assert sorted(ids for ids, _ in partition.wait(1000)) == expected

    def test_follows_not_next_where_nothing_comes_at_all(self) -> None:
        partition = start(A, Step("not_next", ("c",), "not_c"), NO_B)
        partition.see("a@1")
        assert partition.wait(11) == [(["a@1"], 11)]

    def test_says_which_events_it_forbids(self) -> None:
        partition = start(A, Step("absent", ("b",), "no_b", where='["same_x", "a"]'))
        partition.see("a@1:7")
        _, matches = partition.matcher.on_time(partition.runs, 11)
        forbidden = {}
        for text in ("b@5:7", "b@5:6", "c@5:7"):
            scope, happening = partition.scope(text)
            forbidden[text] = partition.matcher.cancels(matches[0].steps, happening, scope)
        assert forbidden == {"b@5:7": True, "b@5:6": False, "c@5:7": False}


class TestPeculiarities:
    """Of Flink's automaton, kept; docs/conformance.md tells them."""

    RANGE = (A, NO_B, Step("event", ("c",), "c", times=Times(1, 2)), Step("event", ("d",), "d"))

    def matches(self, stream: str) -> list[list[str]]:
        return [ids for ids, _ in start(*self.RANGE, after_match="no_skip", within=100).see(stream)]

    def test_an_absence_before_a_range_is_over_once_it_has_begun(self) -> None:
        assert ["a@1", "c1@2", "c2@4", "d@5"] in self.matches("a@1 c1@2 b@3 c2@4 d@5")

    def test_but_not_after_an_event_that_was_passed_over(self) -> None:
        found = self.matches("a1@1 c1@2 a2@3 b@4 c2@5 d@6")
        assert ["a1@1", "c1@2", "d@6"] in found
        assert ["a1@1", "c1@2", "c2@5", "d@6"] not in found

    def test_an_event_that_is_forbidden_and_completes_the_pattern_completes_it(self) -> None:
        again = Step("event", ("b",), "b")
        assert start(A, NO_B, again).see("a@1 b@2") == [(["a@1", "b@2"], 2)]
        assert start(A, NO_B, again, C).see("a@1 b@2 c@3") == []

    def test_a_forbidden_next_event_ends_the_repetition_before_it(self) -> None:
        partition = start(many(1), Step("not_next", ("a",), "not_a"), C, after_match="no_skip")
        assert partition.see("a1@1 a2@2 c@3") == [(["a2@2", "c@3"], 3)]

    def test_optional_steps_after_not_next_need_no_next_event(self) -> None:
        maybe = Step("event", ("c",), "c", optional=True)
        assert start(A, Step("not_next", ("b",), "not_b"), maybe).see("a@1") == [(["a@1"], 1)]

    def test_greedy_at_the_end_waits_for_nothing(self) -> None:
        partition = start(Step("event", ("c",), "c"), many(1, greedy=True), after_match="no_skip")
        assert [ids for ids, _ in partition.see("c@1 a1@2 a2@3")] == [["c@1", "a1@2"], ["c@1", "a1@2", "a2@3"]]


class TestLate:
    def test_cancels_an_absence_that_is_open(self) -> None:
        partition = start(A, NO_B)
        partition.see("a@5")
        assert partition.late("b@6")
        assert partition.runs is None

    def test_cancels_an_absence_in_the_middle(self) -> None:
        partition = start(A, NO_B, C)
        partition.see("a@5")
        assert partition.late("b@6")
        assert partition.see("c@8") == []

    def test_leaves_an_absence_that_is_decided(self) -> None:
        partition = start(A, NO_B, C, B)
        partition.see("a@5 c@8")
        assert not partition.late("b@6")
        assert partition.see("b@9") == [(["a@5", "c@8", "b@9"], 9)]

    def test_leaves_what_began_later(self) -> None:
        partition = start(A, NO_B, after_match="no_skip")
        partition.see("a1@1 a2@5")
        assert partition.late("b@3")
        assert partition.wait(100) == [(["a2@5"], 15)]

    def test_counts_between_repetitions(self) -> None:
        partition = start(many(2, 2), NO_B)
        partition.see("a1@1 a2@5")
        assert partition.late("b@3")
        assert partition.runs is not None
        assert [p.steps for p in partition.matcher.progress(partition.runs)] == [{"a": ("a2@5",)}]

    def test_is_asked_for_its_condition(self) -> None:
        partition = start(A, Step("absent", ("b",), "no_b", where='["same_x", "a"]'))
        partition.see("a@5:1")
        assert not partition.late("b@6:2")
        assert partition.late("b@6:1")

    def test_never_adds(self) -> None:
        partition = start(A, B)
        partition.see("a@5")
        before = partition.runs
        assert not partition.late("b@6")
        assert partition.runs is before

    def test_releases_what_waited_in_order(self) -> None:
        """a1 is refuted late; a2's match, finished and waiting for a1, goes out with the next event."""
        wants_3 = Step("event", ("c",), "c", where='["same_x", "a"]')
        partition = start(A, NO_B, wants_3, after_match="skip_past_last")
        assert partition.see("a1@1:1 a2@3:2 c@4:2") == []
        assert partition.late("b@2")
        assert partition.matcher.next_deadline(partition.runs) == 11
        assert partition.see("c@5:9") == [(["a2@3", "c@4"], 5)]
        assert partition.runs is None


class TestWaiting:
    def test_a_match_waits_while_an_earlier_run_is_open_and_goes_out_when_it_is_over(self) -> None:
        partition = start(A, Step("event", ("c",), "c", where='["same_x", "a"]'), after_match="skip_past_last")
        assert partition.see("a1@1:1 a2@3:2 c@4:2") == []
        assert partition.matcher.next_deadline(partition.runs) == 11
        assert partition.wait(11) == [(["a2@3", "c@4"], 11)]
        assert partition.matcher.next_deadline(partition.runs) is None

    def test_exclusive_waits_for_nothing(self) -> None:
        partition = start(A, Step("event", ("c",), "c", where='["same_x", "a"]'))
        assert partition.see("a1@1:1 a2@3:2 c@4:2") == [(["a2@3", "c@4"], 4)]
        assert partition.runs is None


class TestExclusive:
    def test_a_fourth_event_does_not_match_again(self) -> None:
        partition = start(many(3, 3))
        assert partition.see("a1@1 a2@2 a3@3 a4@4") == [(["a1@1", "a2@2", "a3@3"], 3)]
        assert partition.see("a5@5 a6@6") == [(["a4@4", "a5@5", "a6@6"], 6)]

    def test_the_earliest_start_wins_then_the_most_events(self) -> None:
        partition = start(many(1, 2), B)
        assert partition.see("a1@1 a2@2 b@3") == [(["a1@1", "a2@2", "b@3"], 3)]
        assert partition.runs is None

    def test_what_began_after_its_last_event_goes_on(self) -> None:
        partition = start(A, Step("not_next", ("c",), "not_c"))
        assert partition.see("a1@1 a2@2") == [(["a1@1"], 2)]
        assert partition.see("a3@4") == [(["a2@2"], 4)]


class TestTime:
    def test_a_match_spans_less_than_within(self) -> None:
        assert start(A, B).see("a@1 b@10") == [(["a@1", "b@10"], 10)]
        assert start(A, B).see("a@1 b@11") == []

    def test_gaps(self) -> None:
        partition = start(A, B, C, within_kind="previous_current")
        assert partition.see("a@1 b@10 c@19") == [(["a@1", "b@10", "c@19"], 19)]
        assert partition.see("a@21 b@31") == []

    def test_a_definition_that_drains_begins_nothing_new(self) -> None:
        partition = start(A, B)
        partition.see("a1@1")
        scope, happening = partition.scope("a2@2")
        before = partition.runs
        assert partition.matcher.on_event(before, happening, scope, start=False) == (before, [])
        scope, happening = partition.scope("b@3")
        assert len(partition.matcher.on_event(before, happening, scope, start=False)[1]) == 1

    def test_what_merely_ends_is_no_deadline(self) -> None:
        partition = start(A, B)
        partition.see("a@5")
        assert partition.matcher.next_deadline(partition.runs) is None
        assert partition.matcher.expiry(partition.runs) == 15
        assert partition.wait(15) == []
        assert partition.runs is None

    def test_without_within_nothing_ends(self) -> None:
        partition = start(A, B, within=None)
        partition.see("a@5")
        assert partition.matcher.next_deadline(partition.runs) is None
        assert partition.matcher.expiry(partition.runs) is None
        assert partition.see("b@1000000") == [(["a@5", "b@1000000"], 1000000)]


class TestState:
    def test_one_plain_step_keeps_none(self) -> None:
        partition = start(Step("event", ("a",), "a", where='["ge", 2]'))
        assert partition.matcher.stateless
        assert partition.see("a@1:1 a@2:2") == [(["a@2"], 2)]
        assert partition.runs is None

    def test_an_event_without_effect_leaves_the_same_object(self) -> None:
        partition = start(Step("event", ("a",), "a", where='["ge", 1]'), B, C)
        partition.see("a@1:1")
        before = partition.runs
        partition.see("c@2 a@3:0")
        assert partition.runs is before

    def test_is_never_changed_in_place(self) -> None:
        partition = start(many(2, 3), B)
        partition.see("a1@1 a2@2")
        before = partition.runs
        copy = msgspec.msgpack.encode(before)
        partition.see("a3@3 b@4")
        assert msgspec.msgpack.encode(before) == copy

    def test_keeps_only_the_props_that_are_read(self) -> None:
        reads = {"a": frozenset({"x"}), "": frozenset({"y"})}
        matcher = compile_pattern(Pattern((A, B), 10), compile_condition, reads, 10)
        partition = Partition(matcher)
        scope, happening = partition.scope("a@1:7")
        runs, _ = matcher.on_event(None, happening, scope)
        assert runs is not None
        assert [(e.props, e.user_id) for e in runs.events.values()] == [({"x": 7}, "")]

    def test_an_event_taken_by_many_runs_is_stored_once(self) -> None:
        partition = start(many(3, 3), B)
        partition.see("a1@1 a2@2")
        assert partition.runs is not None
        assert len(partition.runs.events) == 2
        assert [len(run.taken) for run in partition.runs.runs] == [2, 1]

    def test_is_bounded_and_says_what_it_dropped(self) -> None:
        partition = start(A, B, max_runs=2, after_match="no_skip")
        partition.see("a1@1 a2@2 a3@3 a4@4")
        assert partition.runs is not None
        assert (len(partition.runs.runs), len(partition.runs.events), partition.runs.dropped) == (2, 2, 2)
        assert partition.see("b@5") == [(["a1@1", "b@5"], 5), (["a2@2", "b@5"], 5)]

    def test_is_compact(self) -> None:
        partition = start(A, NO_B)
        partition.see("a@5")
        assert len(msgspec.msgpack.encode(partition.runs)) < 40

    def test_progress(self) -> None:
        partition = start(many(1), NO_B, C, within=10)
        partition.see("a1@1 a2@2")
        told = [(p.steps, p.waits_for, p.deadline) for p in partition.matcher.progress(partition.runs)]
        assert ({"a": ("a1@1", "a2@2")}, "a", 11) in told
        assert ({"a": ("a1@1",)}, "c", 11) in told


class TestConditions:
    def test_one_that_reads_no_run_is_asked_once_an_event(self) -> None:
        asked: list[Condition] = []

        def counting(condition: Condition) -> Holds:
            def holds(scope: object) -> bool:
                asked.append(condition)
                return True

            return holds

        steps = (A, Step("event", ("b",), "b", where="plain"), Step("event", ("c",), "c", where="a.x == c.x"))
        partition = Partition(compile_pattern(Pattern(steps, 10), counting, {}, 10))
        partition.see("a1@1 a2@2 b@3 c@4")
        assert asked == ["plain", "a.x == c.x", "a.x == c.x"]

    def test_a_script_may_read_the_run(self) -> None:
        seen: list[list[str]] = []

        def spy(condition: Condition) -> Holds:
            assert condition == Script("true")

            def holds(scope: Any) -> bool:
                seen.append([event.id for event in scope.steps.get("a", ())])
                return True

            return holds

        partition = Partition(
            compile_pattern(Pattern((A, Step("event", ("b",), "b", where=Script("true"))), 10), spy, {}, 10)
        )
        partition.see("a@1 b@2")
        assert seen == [["a@1"]]

    def test_sees_the_events_taken_so_far_in_order(self) -> None:
        steps = (many(1, inside="relaxed"), Step("event", ("b",), "b", where='["sum_eq", "a", 3]'))
        partition = start(*steps, after_match="no_skip")
        assert [ids for ids, _ in partition.see("a1@1:1 a2@2:2 a3@3:3 b@4")] == [
            ["a1@1", "a2@2", "b@4"],
            ["a3@3", "b@4"],
        ]


class TestShape:
    BASE = Pattern((A, Step("event", ("b",), "b", where='["ge", 1]')), 10)

    @pytest.mark.parametrize(
        "same",
        [
            msgspec.structs.replace(BASE, within=99),
            msgspec.structs.replace(BASE, steps=(A, B)),
            msgspec.structs.replace(BASE, steps=(A, Step("event", ("b",), "b", where=json.dumps(["eq", 3])))),
        ],
    )
    def test_conditions_and_the_length_of_within_do_not_matter(self, same: Pattern) -> None:
        assert matcher_of(same).shape == matcher_of(self.BASE).shape

    @pytest.mark.parametrize(
        "other",
        [
            msgspec.structs.replace(BASE, within=None),
            msgspec.structs.replace(BASE, within_kind="previous_current"),
            msgspec.structs.replace(BASE, per="order_id"),
            msgspec.structs.replace(BASE, after_match=AfterMatch("no_skip")),
            msgspec.structs.replace(BASE, steps=(B, A)),
            msgspec.structs.replace(BASE, steps=(A, Step("event", ("b", "c"), "b"))),
            msgspec.structs.replace(BASE, steps=(A, Step("event", ("b",), "x"))),
            msgspec.structs.replace(BASE, steps=(A, Step("event", ("b",), "b", next="strict"))),
            msgspec.structs.replace(BASE, steps=(A, Step("event", ("b",), "b", times=Times(2, 2)))),
        ],
    )
    def test_everything_else_does(self, other: Pattern) -> None:
        assert matcher_of(other).shape != matcher_of(self.BASE).shape


def test_types_are_all_that_the_pattern_names() -> None:
    assert start(A, Step("absent", ("b", "d"), "no"), C).matcher.types == {"a", "b", "c", "d"}


def test_among_matches_with_the_same_first_event_the_first_created_goes_first() -> None:
    partition = start(A, Step("event", ("b",), "b", next="any"), C, after_match="skip_past_last")
    assert partition.see("a@1 b1@2 b2@3 c@4") == [(["a@1", "b1@2", "c@4"], 4)]


def test_a_state_kept_across_a_change_of_conditions_goes_on() -> None:
    old = start(A, Step("event", ("b",), "b", where='["ge", 5]'))
    old.see("a@1")
    new = start(A, Step("event", ("b",), "b", where='["ge", 1]'), within=20)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(old.runs), type=Runs)
    scope, happening = new.scope("b@15:2")
    _, matches = new.matcher.on_event(kept, happening, scope)
    assert [match.at for match in matches] == [15]
    assert event("a@1").time == matches[0].first
