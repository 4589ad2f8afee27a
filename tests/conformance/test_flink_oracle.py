"""Random patterns over random streams: the matcher against Flink CEP's own NFA."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
from hypothesis import assume, given, settings

from kairos.engine.pattern import AfterMatch, Pattern
from tests.conformance.harness import Case, Steps, ids, run
from tests.conformance.oracle import Oracle, RefusedError
from tests.conformance.strategies import cases
from tests.conformance.table import Row, read_table

pytestmark = [pytest.mark.flink, pytest.mark.skipif(not Oracle.available(), reason="needs a JDK")]

MANY_EXAMPLES = settings(max_examples=250, derandomize=True)
ROWS = read_table()


@pytest.fixture(scope="module")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    with Oracle(tmp_path_factory.mktemp("oracle")) as oracle:
        yield oracle


def counted(matches: list[Steps]) -> Counter[str]:
    return Counter(str(sorted(match.items())) for match in matches)


def asked(flink: Oracle, case: Case) -> Counter[str]:
    """Flink's matches; a case whose condition it cannot even evaluate says nothing."""
    try:
        return counted(flink.matches(case))
    except RefusedError as refused:
        assume("FlinkRuntimeException" not in str(refused))
        raise


def decided_by_flink(pattern: Pattern) -> bool:
    """Whether Flink, too, decides the final absence of every run: the step before it takes exactly one event."""
    if pattern.steps[-1].kind != "absent":
        return True
    before = pattern.steps[-2]
    return before.kind == "event" and (before.times is None or before.times.least == before.times.most)


def with_strategy(case: Case, strategy: AfterMatch) -> Case:
    return replace(case, pattern=msgspec.structs.replace(case.pattern, after_match=strategy))


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_the_table_is_true_of_the_installed_flink(flink: Oracle, row: Row) -> None:
    assert row.flat(flink.matches(row.case)) == Counter(row.expected)


@MANY_EXAMPLES
@given(case=cases(strategies=("no_skip",)))
def test_every_match_is_flinks(flink: Oracle, case: Case) -> None:
    expected = asked(flink, case)
    found = counted(ids(run(case)))
    if decided_by_flink(case.pattern):
        assert found == expected
    else:
        assert found >= expected


@MANY_EXAMPLES
@given(case=cases(strategies=("skip_past_last", "skip_to_next", "skip_to_first", "skip_to_last")))
def test_skip_strategies_are_flinks(flink: Oracle, case: Case) -> None:
    """Where Flink's order is defined: its queue leaves the order among equal first events open."""
    assume(decided_by_flink(case.pattern))
    every = ids(run(with_strategy(case, AfterMatch("no_skip"))))
    firsts = [next(iter(match.values()))[0] for match in every]
    assume(len(set(firsts)) == len(firsts))
    assert counted(ids(run(case))) == asked(flink, case)


@MANY_EXAMPLES
@given(case=cases(strategies=("no_skip",), within_kinds=("previous_current",), quantified=False))
def test_gaps_between_single_events_are_flinks(flink: Oracle, case: Case) -> None:
    """Flink gives a repetition a window of its own; here `within` bounds every gap."""
    assume(decided_by_flink(case.pattern))
    assert counted(ids(run(case))) == asked(flink, case)
