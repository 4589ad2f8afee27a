"""Compiled expressions against a slow, obvious interpreter: random expressions over random, hostile values."""

from __future__ import annotations

from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.expression import ExpressionError, Names, Reads, parse
from kairos.engine.expression.scope import Facts
from kairos.engine.expression.tree import walk
from tests.properties.twins.expression_interpreter import evaluate

TIMES = [1_763_778_000_000 - hours * 1_800_000 for hours in (-49, 0, 1, 30, 47, 48, 49, 95, 97)]
EDGES = [0, 1, -1, 2, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**40, 0.0, -0.0, 0.5, 1.0, 1e308, -1e308, 5e-324]
TEXTS = ["", "a", "b", "ab", "A", "1", "é", "a\nb", "null", "{}", "x" * 300, "\U0001f600"]

scalars = st.one_of(
    st.none(), st.booleans(), st.sampled_from(EDGES), st.sampled_from(TEXTS), st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0, 1, 0.0, 1.0, False, True]),
    st.sampled_from(TIMES),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=5,
)
props = st.fixed_dictionaries({"x": values, "y": scalars}, optional={"z": values})

LITERALS = [
    "null", "true", "false", "0", "1", "1.0", "-1", "2", "0.5", "9223372036854775807", "1e308", "[]", '"a"', '"b"',
    '""', "'{x}'", '["a", "b"]', "[0, 1]", "[1, true]", "[null, 1]", "[[1], 'a']", "[0.5, -1]", "['a', null]",
]  # fmt: skip
SIGNS = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
literals = st.sampled_from(LITERALS)
signs = st.sampled_from(SIGNS)
NAMES = [
    "x", "y", "z", "first.x", "many.y", "many.first.y", "many.last.x", "many.count", "nothing.count", "nothing.x",
    "sum(many.x)", "min(many.x)", "max(many.y)", "avg(many.x)", "sum(nothing.x)", "avg(nothing.x)", "event.type",
    "event.id", "event.source", "profile.x", "profile.x.a", "x.a", "x.a.b", "x.0", "x.0.a", "x.1.0", "first.x.a",
    "many.first.x.0", "many.last.x.b.a", "nothing.x.a",
    "metric.m", "metric.none", "prior.m", 'in_crowd("in")', 'in_crowd("out")',
]  # fmt: skip
names = st.sampled_from(NAMES)


def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "%"])
    unary = st.sampled_from(
        ["len", "lower", "upper", "abs", "round", "exists", "hour", "weekday", "date", "days_since"]
    )
    binary = st.sampled_from(["starts_with", "ends_with", "contains", "round", "coalesce"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, signs, inner),
        st.builds("({} {} {} {} {})".format, inner, signs, inner, signs, inner),
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("({0} {1} {2} {1} {2} {1} {2} {1} {2} {1} {2})".format, inner, operators, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("({} and {} and {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("(- {})".format, inner),
        st.builds("(+ {})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{}({})".format, unary, inner),
        st.builds("{}({}, {})".format, binary, inner, inner),
        st.builds("coalesce({}, {}, {})".format, inner, inner, inner),
        st.builds("matches({}, '^a|b$')".format, inner),
    )


expressions = st.recursive(literals | names | names, grow, max_leaves=10)


@st.composite
def scopes(draw: st.DrawFn) -> Facts:
    scope = Facts()
    event = Event("e1", "order", 1_763_778_000_000, "shop", draw(props))
    scope.event = draw(st.sampled_from([event, event, None]))
    scope.props = event.props
    taken = st.builds(lambda own: Event("e0", "view", 1_763_777_000_000, "shop", own), props)
    scope.steps = {"first": (draw(taken),), "many": draw(st.lists(taken, max_size=4)), "nothing": ()}
    scope.profile = draw(props)
    metric, prior = draw(values), draw(values)
    scope.metric = {"m": metric}.get
    scope.prior = {"m": prior}.get
    scope.in_crowd = {"in"}.__contains__
    scope.now = 1_763_778_000_000
    scope.zone = draw(st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")]))
    return scope


def identical(a: Any, b: Any) -> bool:
    """Type and all: 1, 1.0 and true are three values."""
    return repr(a) == repr(b) or (a == b == 0 and type(a) is type(b))


@settings(max_examples=300)
@given(text=expressions, scope=scopes())
def test_compiled_as_interpreted(text: str, scope: Facts) -> None:
    expression = parse(text)
    expected = evaluate(expression.tree, scope)
    assert identical(expression.compile()(scope), expected)
    assert expression.predicate()(scope) is (expected is True)


ANY = [None, True, False, *EDGES, *TEXTS, *TIMES, [], [1], [True], ["a", "b"], [[1], "a"], {}, {"a": 1}, {"a": True}]


@pytest.mark.parametrize("sign", SIGNS)
def test_every_literal_with_every_value(sign: str) -> None:
    """The compiler's short cuts, one by one."""
    scope = Facts()
    for literal in LITERALS:
        for text in (f"x {sign} {literal}", f"{literal} {sign} x", f"x {sign} {literal} {sign} x"):
            expression = parse(text)
            compiled = expression.compile()
            for value in ANY:
                scope.props = {"x": value}
                assert compiled(scope) is evaluate(expression.tree, scope), (text, value)


@pytest.mark.parametrize("sign", [*SIGNS, "+", "-", "*", "/", "%"])
def test_every_value_with_every_value(sign: str) -> None:
    expression = parse(f"x {sign} y")
    compiled = expression.compile()
    scope = Facts()
    for x, y in product(ANY, ANY):
        scope.props = {"x": x, "y": y}
        assert identical(compiled(scope), evaluate(expression.tree, scope)), (x, y)


CALLS = ["hour", "weekday", "date", "days_since", "abs", "round", "len", "lower", "exists", "-", "+"]


@pytest.mark.parametrize("function", CALLS)
def test_every_function_of_every_value(function: str) -> None:
    expression = parse(f"{function}(x)")
    scope = Facts()
    scope.now = TIMES[1]
    scope.zone = ZoneInfo("America/New_York")
    for value in ANY:
        scope.props = {"x": value}
        assert identical(expression.compile()(scope), evaluate(expression.tree, scope)), value


@settings(max_examples=200)
@given(text=expressions, scope=scopes())
def test_explained_values_are_those_of_the_parts(text: str, scope: Facts) -> None:
    expression = parse(text)
    told = expression.explain(scope)
    of_text = {" ".join(text[node.start : node.end].split()): node for node in walk(expression.tree)}
    for said, value in told:
        assert identical(value, evaluate(of_text[said], scope))


@settings(max_examples=200)
@given(text=expressions, scope=scopes())
def test_what_is_not_read_does_not_matter(text: str, scope: Facts) -> None:
    """`reads` is all that the value depends on: the engine throws the rest away."""
    expression = parse(text)
    before = expression.compile()(scope)
    keep_only(scope, expression.reads)
    assert identical(expression.compile()(scope), before)


@pytest.mark.parametrize("text", NAMES)
def test_each_name_is_among_the_reads(text: str) -> None:
    """The scope that is kept for a name has the value that the name gives."""
    scope = Facts()
    event = Event("e1", "order", 1_763_778_000_000, "shop", {"x": 1, "y": 2, "z": 3})
    scope.event, scope.props, scope.profile = event, event.props, event.props
    scope.steps = {"first": (event,), "many": (event, event)}
    scope.metric, scope.prior, scope.in_crowd = {"m": 4}.get, {"m": 5}.get, {"in"}.__contains__
    expression = parse(text)
    before = expression.compile()(scope)
    keep_only(scope, expression.reads)
    assert identical(expression.compile()(scope), before)


def keep_only(scope: Facts, reads: Reads) -> None:
    def slim(own: Any, kept: frozenset[str]) -> dict[str, Any]:
        return {name: value for name, value in own.items() if name in kept}

    scope.props = slim(scope.props, reads.props)
    scope.profile = slim(scope.profile, reads.profile)
    scope.steps = {
        step: [Event("", "", 0, "", slim(event.props, reads.steps[step])) for event in taken]
        for step, taken in scope.steps.items()
        if step in reads.steps
    }
    metric, prior, in_crowd = scope.metric, scope.prior, scope.in_crowd
    scope.metric = lambda name: metric(name) if name in reads.metrics else None
    scope.prior = lambda name: prior(name) if name in reads.priors else None
    scope.in_crowd = lambda name: in_crowd(name) if name in reads.crowds else False
    if not reads.event_fields:
        scope.event = None


TYPED = Names(props={"x": "number"})
GRID = [None, *(quarter / 4 for quarter in range(-8, 13))]  # finer than the bounds
bounds = st.sampled_from(["0", "1", "2", "0.5", "-1"])
atoms = st.one_of(
    st.builds("x {} {}".format, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), bounds),
    st.builds("{} {} x".format, bounds, st.sampled_from(["==", "!=", "<", "<=", ">", ">="])),
    st.builds("{} < x <= {}".format, bounds, bounds),
    st.builds("x in [{}, {}]".format, bounds, bounds),
    st.builds("x not in [{}, {}]".format, bounds, bounds),
    st.just("exists(x)"),
)
conditions = st.builds("{}{}".format, st.sampled_from(["", "not "]), atoms)


@settings(max_examples=200)
@given(parts=st.lists(conditions, min_size=1, max_size=4))
def test_warned_of_exactly_when_never_true(parts: list[str]) -> None:
    expression = parse(" and ".join(parts), TYPED)
    atoms_asked = [
        parse(part.removeprefix("not ")) for part in parts
    ]  # `not` of what is never true is reported as that
    never = any(not any(ask(asked.predicate(), value) for value in GRID) for asked in (expression, *atoms_asked))
    assert any(warning.code == "never-true" for warning in expression.warnings) == never


def ask(predicate: Any, value: Any) -> bool:
    scope = Facts()
    scope.props = {"x": value}
    return bool(predicate(scope))


@settings(max_examples=500)
@given(st.text(alphabet="abx01.,()[]'\"+-*/%<>=! \n#\\andortifelsenotinlambda:@{}é\x00\ud800", max_size=60))
def test_any_text_is_an_expression_or_a_list_of_problems(text: str) -> None:
    try:
        expression = parse(text)
    except ExpressionError as error:
        problems = error.problems
    else:
        expression.compile()(Facts())
        return
    assert problems
    assert all(0 <= problem.offset <= len(text) for problem in problems)
