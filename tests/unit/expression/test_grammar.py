"""What is an expression and what is not: the message, the place, the hint; and that no text can exhaust the parser."""

from __future__ import annotations

import pytest

from kairos.engine.expression import ExpressionError, Problem, parse


def problems(text: str) -> list[Problem]:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    return refused.value.problems


@pytest.mark.parametrize(
    ("text", "offset", "code", "words"),
    [
        ("", 0, "expression-syntax", "empty"),
        ("amount >=", 9, "expression-syntax", "ends where more is expected"),
        ("amount >= 50; import os", 12, "expression-syntax", "';'"),
        ("city == 'sz", 8, "expression-syntax", "no closing quote"),
        ("(amount > 1", 0, "expression-syntax", "never closed"),
        ("amount > 1)", 10, "expression-syntax", "closes nothing"),
        ("[amount)", 7, "expression-syntax", "closes nothing"),
        ("amount # much", 7, "expression-syntax", "comments"),
        ("a\x00b", 0, "expression-syntax", "'a?b'"),
        ("é == 1 and é =", 13, "expression-syntax", "'='"),
        ("é == 1\nand é ! 2", 13, "expression-syntax", "'!'"),
        ("(lambda: amount)() > 1", 0, "expression-unsupported", "only functions can be called"),
        ("lambda: 1", 0, "expression-unsupported", "a lambda"),
        ("f'{amount}'", 0, "expression-unsupported", "an f-string"),
        ("1 + tags[0]", 4, "expression-unsupported", "a subscript"),
        ("city in ('a', 'b')", 8, "expression-unsupported", "a tuple"),
        ("{'a': 1}", 0, "expression-unsupported", "a dict"),
        ("[x for x in tags]", 0, "expression-unsupported", "a comprehension"),
        ("(x := 5)", 1, "expression-unsupported", "':='"),
        ("x is null", 0, "expression-unsupported", "'is'"),
        ("2 ** 8", 0, "expression-unsupported", "'**'"),
        ("~x", 0, "expression-unsupported", "'~'"),
        ("b'x'", 0, "expression-unsupported", "b'x'"),
        ("5j", 0, "expression-unsupported", "5j"),
        ("...", 0, "expression-unsupported", "..."),
        ("'a'.upper()", 0, "expression-unsupported", "only functions"),
        ("'a'.b", 0, "expression-unsupported", "no methods"),
        ("open('f')", 0, "unknown-function", "'open'"),
        ("__class__ == 'x'", 0, "bad-name", "'__class__'"),
        ("order.__class__", 0, "bad-name", "'__class__'"),
        ("order._id", 0, "bad-name", "'_id'"),
        ("event", 0, "incomplete-name", "'event'"),
        ("event.amount", 0, "unknown-name", "'amount'"),
        ("event.time.x", 0, "unknown-name", "'event.time.x'"),
        ("metric.m.x", 0, "unknown-name", "'metric.m.x'"),
        ("views.count.x", 0, "unknown-name", "'views.count.x'"),
        ("a._b.c", 0, "bad-name", "'_b'"),
        ("a.b._c", 0, "bad-name", "'_c'"),
        ("a.0x", 2, "expression-syntax", "'0x'"),
        ("1.0.x", 0, "expression-unsupported", "reads from a name only"),
        ("date == 1", 0, "reserved-name", "'date'"),
        ("sum.x == 1", 0, "reserved-name", "'sum'"),
        ("len(a, b)", 0, "argument-count", "1 argument, not 2"),
        ("coalesce()", 0, "argument-count", "at least 1 argument"),
        ("round()", 0, "argument-count", "1 or 2 arguments"),
        ("len(x=a)", 0, "expression-unsupported", "by position"),
        ("sum(amount)", 0, "argument-type", "sum(step.prop)"),
        ("sum(views.first.n)", 0, "argument-type", "sum(step.prop)"),
        ("in_crowd(city)", 9, "argument-type", "quotes"),
        ("matches(city, other)", 14, "argument-type", "quotes"),
        ("matches(city, '[a-')", 14, "bad-regex", "regular expression"),
        (r"matches(city, '(a)\\1')", 14, "bad-regex", "regular expression"),
        ("amount > 9223372036854775808", 9, "number-range", "64 bits"),
        ("amount > 1e999", 9, "number-range", "double"),
        ("'\\ud800' == city", 0, "text-surrogate", "surrogate"),
    ],
)
def test_what_is_outside_the_language(text: str, offset: int, code: str, words: str) -> None:
    (problem,) = problems(text)
    assert (problem.offset, problem.code) == (offset, code)
    assert words in problem.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("amount = 5", "'=='"),
        ("a && b", "'and'"),
        ("a || b", "'or'"),
        ("!a", "'not'"),
        ("a <> b", "'!='"),
        ("a AND b", "written small"),
        ("class == 1", "reserved word"),
        ("uper(city)", "'upper'"),
        ("x is not null", "exists"),
        ("a // b", "'/'"),
        ("city in {'a'}", "square brackets"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    (problem,) = problems(text)
    assert problem.hint is not None
    assert hint in problem.hint


def test_a_hint_is_not_taken_from_inside_a_text() -> None:
    (problem,) = problems("city == 'a && b' and")
    assert problem.hint is None


def test_all_problems_at_once_in_order() -> None:
    found = problems("foo(1) and a ** 2 > 1 and matches(b, '(') and date and _x")
    assert [problem.code for problem in found] == [
        "unknown-function",
        "expression-unsupported",
        "bad-regex",
        "reserved-name",
        "bad-name",
    ]
    assert [problem.offset for problem in found] == sorted(problem.offset for problem in found)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 9_000,
        "(" * 51 + "1" + ")" * 51,
        "[" * 51 + "]" * 51,
        "not " * 2_000 + "a",
        "-" * 9_000 + "1",
        "~" * 9_000 + "1",
        "a." * 4_000 + "a",
        "a if b else " * 800 + "c",
        "lambda:" * 1_400 + "a",
        "a+" * 4_990 + "a",
        "a**" * 3_000 + "a",
        "f(" * 3_000,
        "x" * 10_001,
        "9" * 9_999,
        "1e" + "9" * 9_000,
        "await " * 1_000 + "a",
    ],
    ids=lambda text: text[:6],
)
def test_no_text_exhausts_the_parser(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 50 + "1" + ")" * 50, "not " * 49 + "a", " and ".join(["a"] * 1_600), " < ".join("a" * 2_500)],
    ids=["brackets", "not", "and", "chain"],
)
def test_what_is_long_or_fifty_deep_works(text: str) -> None:
    assert len(text) <= 10_000
    assert parse(text).predicate() is not None


@pytest.mark.parametrize(
    "text",
    [
        "  amount > 1  ",
        "amount >\n  1\r\n and\ttrue",
        "null == None and True == true and False != true",
        "'quo\\'te' == \"#(\" and '''three''' == city",
        "0x10 + 1_000 > 1.5e3",
        "城市 == '深圳'",
        "orderId == 1",
        "a if b else c if d else e",
    ],
)
def test_what_is_an_expression(text: str) -> None:
    assert parse(text).text == text


def test_python_is_silent_about_odd_comparisons(recwarn: pytest.WarningsRecorder) -> None:
    parse("'\\d' in 'b' or exists(1) or 1 == true or (1 if 'a' else 2) == 1 or 5 in [5]").compile()
    assert not recwarn.list
