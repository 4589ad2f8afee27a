"""Time, absences and late events: what Flink's tests say nothing about."""

from __future__ import annotations

import pytest

from kairos.engine.pattern import Step, Times
from tests.unit.pattern.stream import NO_B, A, B, C, many, start


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
