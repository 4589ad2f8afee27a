"""Expressions as SQL on DuckDB against the Python that rules run: random expressions over random props, row for row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from kairos.engine.expression.sql.functions import SQL_FUNCTIONS
from kairos.engine.expression.sql.pieces import Sql
from kairos.engine.expression.sql.to_sql import condition_sql, number_sql

# Numbers whose arithmetic doubles do exactly, so that integers and doubles cannot differ.
NUMBERS = [0, 1, -1, 2, 3, 7, -5, 0.5, 1.5, 2.5, -2.5, 1.0, 1e300, 1_763_778_000_000]
TEXTS = ["", "a", "b", "ab", "A", "1", "é", "a\nb", "null", "true", "{}", "[1]", '"', "it's", "\U0001f600"]
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS)
values = scalars | st.lists(st.sampled_from([1, 2, "a", "b", True, None, 0.5]), max_size=3) | st.just({"a": 1})
rows = st.lists(st.fixed_dictionaries({"x": values, "y": values}, optional={"z": values}), min_size=1, max_size=6)

leaves = st.sampled_from(
    [
        "x",
        "y",
        "z",
        "x",
        "y",
        "event.type",
        "event.time",
        "null",
        "true",
        "0",
        "1",
        "2.5",
        '"a"',
        '"ab"',
        '""',
        '"it\'s"',
    ]
)
lists = st.sampled_from(["[]", "[1, 2]", '["a", null, 0.5]', "x", "y", '"cab"'])


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    compare = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    calculate = st.sampled_from(["+", "-", "*", "/", "%"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, compare, inner),
        st.builds("({} {} {} {} {})".format, inner, compare, inner, compare, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["in", "not in"]), lists),
        st.builds("({} {} {})".format, inner, calculate, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("(not {})".format, inner),
        st.builds("(- {})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["len", "abs", "round", "exists"]), inner),
        st.builds("coalesce({}, {})".format, inner, inner),
        st.builds("{}({}, {})".format, st.sampled_from(["starts_with", "ends_with", "contains"]), inner, inner),
        st.builds("matches({}, '^a|b$')".format, inner),
        st.builds("{}({})".format, st.sampled_from(["hour", "weekday", "days_since"]), st.sampled_from(["event.time"])),
    )


class Columns:
    """The names of these tests, in a table `rows(props)`."""

    def prop(self, name: str) -> Sql:
        return Sql("json", f"kairos_json(props, '$.{name}')")

    def field(self, root: str, name: str) -> Sql:
        return Sql("text", "'order'") if name == "type" else Sql("number", "1763778000000e0")

    def step_prop(self, step: str, prop: str, which: str) -> Sql:
        raise AssertionError

    def step_count(self, step: str) -> Sql:
        raise AssertionError

    def in_crowd(self, name: str) -> Sql:
        raise AssertionError

    def offset(self, time: str) -> str:
        return "28800000"


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name, function in SQL_FUNCTIONS.items():
            connection.execute(f"CREATE MACRO {name}({', '.join(function.parameters)}) AS {function.duckdb}")
        yield connection


def asked(duck: duckdb.DuckDBPyConnection, sql: str, given_rows: list[dict[str, Any]]) -> list[Any]:
    places = ", ".join(["(?, ?)"] * len(given_rows))
    parameters = [p for number, props in enumerate(given_rows) for p in (number, json.dumps(props))]
    found = duck.execute(f"SELECT {sql} FROM (VALUES {places}) AS rows(n, props) ORDER BY n", parameters)
    return [row[0] for row in found.fetchall()]


@settings(max_examples=400)
@given(text=st.recursive(leaves, grow, max_leaves=6), given_rows=rows)
@example(text="(x != x)", given_rows=[{"x": None}, {}])
@example(text="(x != y)", given_rows=[{"x": None, "y": 1}, {"y": "a"}])
@example(text="(null if x else (not x))", given_rows=[{"x": True}, {"x": False}, {}])
@example(text="(not (null if x else (not x)))", given_rows=[{"x": True}, {"x": False}, {}])
def test_conditions_hold_of_the_same_rows(
    duck: duckdb.DuckDBPyConnection, text: str, given_rows: list[dict[str, Any]]
) -> None:
    expression = parse(text)
    expected = [expression.predicate()(scope(props)) for props in given_rows]
    assert asked(duck, condition_sql(expression.tree, Columns()), given_rows) == expected


@settings(max_examples=200)
@given(text=st.recursive(leaves, grow, max_leaves=5), given_rows=rows)
def test_numbers_are_the_same(duck: duckdb.DuckDBPyConnection, text: str, given_rows: list[dict[str, Any]]) -> None:
    expression = parse(text)
    values_ = [expression.compile()(scope(props)) for props in given_rows]
    expected = [value if type(value) in (int, float) else None for value in values_]
    found = asked(duck, number_sql(expression.tree, Columns()), given_rows)
    assert [value is None for value in found] == [value is None for value in expected]
    numbers = ([value for value in side if value is not None] for side in (found, expected))
    assert next(numbers) == pytest.approx(next(numbers), rel=1e-12, abs=1e-12)


def test_large_ids_are_told_apart(duck: duckdb.DuckDBPyConnection) -> None:
    """2^53 and 2^53 + 1 are the same double, and two different orders."""
    same = condition_sql(parse("x == y").tree, Columns())
    assert asked(duck, same, [{"x": 2**53, "y": 2**53 + 1}, {"x": 2**53 + 1, "y": 2**53 + 1}]) == [False, True]


def scope(props: dict[str, Any]) -> Facts:
    made = Facts()
    made.event = Event("e1", "order", 1_763_778_000_000, "shop", props)
    made.props, made.now, made.zone = props, 1_763_778_000_000, ZoneInfo("Asia/Shanghai")
    return made
