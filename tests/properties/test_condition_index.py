"""What an index over conditions finds, against asking every one of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from kairos.engine.rule.index import ConditionIndex

TEXTS = ["", "a", "b", "ab", "A", "1", "é", "\U0001f600", "e\u0301"]
NUMBERS = [
    0,
    1,
    -1,
    2,
    3,
    0.0,
    -0.0,
    0.5,
    1.0,
    2**53,
    2**53 + 1,
    float(2**53),
    10**40,
    1e308,
    float("inf"),
    float("nan"),
]
VALUES = [None, True, False, *TEXTS, *NUMBERS, [], [1], ["a"], {}, {"a": 1}]
LITERALS = ["null", "true", "false", "0", "1", "1.0", "-1", "2", "0.5", "9007199254740993", '""', '"a"', '"b"', '"é"']
LISTS = ['["a", "b"]', "[0, 1]", "[1, true]", "[null, 1]", "['a', 2, false]", "[]", "[x, 1]"]

values = st.sampled_from(VALUES)
props = st.fixed_dictionaries({}, optional=dict.fromkeys("xyz", values))
names, literals = st.sampled_from("xyz"), st.sampled_from(LITERALS)
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
comparisons = st.one_of(
    names,
    literals,
    st.builds("{} {} {}".format, names, signs, literals),
    st.builds("{} {} {}".format, literals, signs, names),
    st.builds("{} {} {} {} {}".format, literals, signs, names, signs, literals),
    st.builds("{} {} {}".format, names, signs, names),
    st.builds("{} {} {}".format, names, st.sampled_from(["in", "not in"]), st.sampled_from(LISTS)),
    st.builds("{} in {}".format, names, literals),
    st.sampled_from(["exists(x)", "len(y) > 1", "'a' in z", "x.a == 1", "metric.m > 1", "starts_with(x, 'a')"]),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


def index_of(texts: list[str | None]) -> ConditionIndex:
    return ConditionIndex(parse(text).tree if text is not None else None for text in texts)


@settings(max_examples=150)
@given(st.lists(st.none() | conditions, max_size=25), st.lists(props, min_size=1, max_size=5))
def test_found_and_asked_is_asked(texts: list[str | None], events: list[dict[str, Any]]) -> None:
    index = index_of(texts)
    asked = [None if text is None else parse(text).predicate() for text in texts]
    for event in events:
        scope = Facts(event)
        holding = [n for n, holds in enumerate(asked) if holds is None or holds(scope)]
        found = index.find(event)
        assert [n for n in found if asked[n] is None or asked[n](scope)] == holding
        assert list(found) == sorted(set(found))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_each_literal_with_each_value(value: Any) -> None:
    """All at once, so that they share the places of the index."""
    texts = [f"x {sign} {literal}" for sign in ("==", "<", "<=", ">", ">=") for literal in LITERALS]
    texts += [f"x in {some}" for some in LISTS]
    asked, scope = [parse(text).predicate() for text in texts], Facts({"x": value})
    holding = [n for n, holds in enumerate(asked) if holds(scope)]
    assert [n for n in index_of([*texts]).find({"x": value}) if asked[n](scope)] == holding


@pytest.mark.parametrize(
    ("condition", "event", "found"),
    [
        ("x == {n}", {"x": 500}, [500]),
        ("{n} == x", {"x": 500.0}, [500]),
        ("x in [{n}, 'item-{n}']", {"x": "item-7"}, [7]),
        ("x > {n}", {"x": 3}, [0, 1, 2]),
        ("x >= {n} and x < {n} + 1", {"x": 2}, [0, 1, 2]),
        ("{n} <= x < {n}.5", {"x": 500.25}, [500]),
        ("x > {n}", {"x": "500"}, []),
        ("x > {n}", {}, []),
        ("y == 'app' and x == {n}", {"x": 500, "y": "app"}, [500]),
        ("x == {n} or y == 'item-{n}'", {"x": 1, "y": "item-2"}, [1, 2]),
        ("x == {n} and metric.bought > 3", {"x": 500}, [500]),
    ],
)
def test_of_a_thousand_those_are_found_that_may_hold(condition: str, event: dict[str, Any], found: list[int]) -> None:
    assert list(index_of([condition.format(n=n) for n in range(1_000)]).find(event)) == found
