"""What a matcher keeps, asks and is equal to: state, limits, conditions, shape."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from kairos.engine.event import Event
from kairos.engine.expression.condition import Condition, Script
from kairos.engine.pattern import AfterMatch, Pattern, Runs, Step, Times, compile_pattern
from kairos.engine.pattern.marks import count
from kairos.engine.pattern.runs import keep
from tests.conformance.conditions import Holds, compile_condition
from tests.conformance.harness import matcher_of
from tests.unit.pattern.stream import NO_B, A, B, C, Partition, event, many, start


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
        assert [(e.event.props, e.event.user_id) for e in runs.events.values()] == [({"x": 7}, "")]

    @pytest.mark.parametrize(
        ("name", "size"),
        [
            ("0c8f2a1e-77aa-4b1d-9d0c-0123456789ab", 16),
            ("0C8F2A1E-77AA-4B1D-9D0C-0123456789AB", 36),
            ("0c8f2a1e77aa-4b1d-9d0c-0123456789ab-", 36),
            ("0c8f2a1e-77aa-4b1d-9d0c-0123456789a ", 36),
            ("0c8f2a1e-77aa-4b1d-9d0c-0123456789aé", 36),
            ("0c8f2a1e77aa4b1d9d0c0123456789ab", 32),
            ("-" * 36, 36),
            ("", 0),
        ],
    )
    def test_a_uuid_is_kept_as_its_bytes_and_told_as_it_was(self, name: str, size: int) -> None:
        kept = keep(Event(name, "a", 1, "shop", {}), ())
        assert len(kept.id) == size
        assert kept.event.id == name

    def test_an_event_taken_by_many_runs_is_stored_once(self) -> None:
        partition = start(many(3, 3), B)
        partition.see("a1@1 a2@2")
        assert partition.runs is not None
        assert len(partition.runs.events) == 2
        assert [count(run.taken) for run in partition.runs.runs] == [2, 1]

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
