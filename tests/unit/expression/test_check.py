"""Names and types against what is declared, and what can never be true."""

from __future__ import annotations

import pytest

from kairos.engine.expression import Expression, ExpressionError, Names, Problem, StepNames, parse

NAMES = Names(
    props={
        "amount": "number", "n": "integer", "city": "string", "vip": "boolean", "at": "time", "born": "date",
        "tags": "list", "box": "object",
    },
    props_of="order_created",
    steps={"views": StepNames({"price": "number", "page": "string"}, repeated=True), "untyped": StepNames()},
    profile={"level": "integer", "phone": "string"},
    metrics={"spend_30d": "number"},
    crowds=frozenset({"vips"}),
    forbidden={"pay": "it is a later step", "gone": "it is an absent step"},
)  # fmt: skip


def checked(text: str, names: Names = NAMES) -> Expression:
    return parse(text, names)


def problems(text: str, names: Names = NAMES) -> list[Problem]:
    with pytest.raises(ExpressionError) as refused:
        parse(text, names)
    return refused.value.problems


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("amount >= 50 and vip", "boolean"),
        ("amount + 1", "number"),
        ("n + 1", "integer"),
        ("n / 2", "number"),
        ("-n", "integer"),
        ("n if vip else 1", "integer"),
        ("n if vip else 0.5", "number"),
        ("n if vip else null", "integer"),
        ("n if vip else city", "any"),
        ("coalesce(city, 'a')", "string"),
        ("null", "null"),
        ("[1]", "list"),
        ("upper(city)", "string"),
        ("len(tags)", "integer"),
        ("date(at)", "date"),
        ("hour(event.time)", "integer"),
        ("round(amount)", "integer"),
        ("round(amount, 2)", "number"),
        ("abs(n)", "integer"),
        ("views.count", "integer"),
        ("sum(views.price)", "number"),
        ("untyped.anything", "any"),
        ("box.inside", "any"),
        ("box.inside.0.deep", "any"),
        ("tags.0", "any"),
        ("untyped.tags.0.sku", "any"),
        ("untyped.anything + 1", "number"),
        ("event.type", "string"),
        ("profile.level", "integer"),
        ("prior.spend_30d", "number"),
        ("in_crowd('vips')", "boolean"),
    ],
)
def test_types(text: str, type_: str) -> None:
    assert checked(text).type == type_


@pytest.mark.parametrize(
    ("text", "offset", "code", "words", "hint"),
    [
        ("amout >= 50", 0, "unknown-prop", "'amout' is not a prop of order_created", "'amount'"),
        ("level > 2", 0, "unknown-prop", "'level'", "'profile.level'"),
        ("spend_30d > 2", 0, "unknown-prop", "'spend_30d'", "'metric.spend_30d'"),
        ("views > 2", 0, "unknown-prop", "'views' is a step", "views.prop"),
        ("amount > pay.amount", 9, "unknown-step", "it is a later step", None),
        ("gone.count > 1", 0, "unknown-step", "it is an absent step", None),
        ("veiws.price > 1", 0, "unknown-step", "'veiws'", "'views'"),
        ("city.zip == '1'", 0, "type-mismatch", "'city' is text: nothing lies inside", None),
        ("tags.sku == '1'", 0, "type-mismatch", "'tags' is a list", "tags.0.sku"),
        ("views.page.x == '1'", 0, "type-mismatch", "'views.page' is text", None),
        ("profile.phone.0 == '1'", 0, "type-mismatch", "'profile.phone' is text", None),
        ("box.first.n == 1", 0, "unknown-step", "'box' is a prop, not a step", None),
        ("box.count == 1", 0, "unknown-step", "'box' is a prop, not a step", None),
        ("bx.inside == 1", 0, "unknown-step", "'bx'", None),
        ("views.prise > 1", 0, "unknown-prop", "'prise' is not a prop of step 'views'", "'price'"),
        ("sum(views.page) > 1", 0, "type-mismatch", "'views.page' is text", None),
        ("profile.levl > 1", 0, "unknown-profile-field", "'levl'", "'level'"),
        ("metric.spend_7d > 1", 0, "unknown-metric", "'spend_7d'", "'spend_30d'"),
        ("in_crowd('vip')", 9, "unknown-crowd", "'vip'", "'vips'"),
        ("city - 1 > 0", 0, "type-mismatch", "numbers only; 'city' is text", None),
        ("tags * 2 == 4", 0, "type-mismatch", "'tags' is a list", None),
        ("-vip == 1", 1, "type-mismatch", "'vip' is a boolean", None),
        ("amount + null == 1", 9, "type-mismatch", "'null' is null", None),
        ("metric.spend_30d > 'much'", 19, "type-mismatch", "is a number", None),
        ("city == 5", 8, "type-mismatch", "'city' is text, '5' is a number", None),
        ("vip > false", 0, "type-mismatch", "'vip' is a boolean", None),
        ("tags < [1]", 0, "type-mismatch", "'tags' is a list", None),
        ("vip == 1", 7, "type-mismatch", "'vip' is a boolean", None),
        ("amount in ['a', 1]", 11, "type-mismatch", "'amount' is a number", None),
        ("amount in 5", 10, "type-mismatch", "'in' looks into a list or a text", None),
        ("amount in city", 0, "type-mismatch", "a text is found in a text", None),
        ("amount and vip", 0, "type-mismatch", "'and' takes conditions", "exists"),
        ("not city", 4, "type-mismatch", "'not' takes conditions", "exists"),
        ("1 if n else 2", 5, "type-mismatch", "'if' takes conditions", "exists"),
        ("len(amount) > 1", 4, "type-mismatch", "len() takes", None),
        ("upper(amount) == 'A'", 6, "type-mismatch", "upper() takes text", None),
        ("hour(vip) > 1", 5, "type-mismatch", "hour() takes a time", None),
        ("round(amount, city) > 1", 14, "type-mismatch", "round() takes a number", None),
        ("event.time > 'noon'", 13, "type-mismatch", "is a number", None),
        ("date(at) > 5", 11, "type-mismatch", "a date", None),
    ],
)
def test_problems(text: str, offset: int, code: str, words: str, hint: str | None) -> None:
    (problem,) = problems(text)
    assert (problem.offset, problem.code) == (offset, code)
    assert words in problem.message
    assert hint is None or hint in (problem.hint or "")


def test_all_problems_at_once() -> None:
    assert [p.offset for p in problems("amout > 1 and city > 2 and metric.x > 3 and vip")] == [0, 21, 27]


@pytest.mark.parametrize(
    "text",
    [
        "at > 1763778000000 or at == '2025-11-22T10:20:00Z'",  # a time is either
        "born == '2000-01-01' and days_since(born) > 1 and days_since(city) > 1",
        "at - event.time > 1000",
        "untyped.x > 1 and untyped.x == 'a'",
        "city in ['a', 'b'] and 'a' in city and 1 in tags and city in tags",
        "contains(tags, 1) and contains(city, 'a')",
        "len(box) > 0 and box == box",
        "coalesce(amount, null, 1) > 0",
    ],
)
def test_what_can_work_is_accepted(text: str) -> None:
    assert checked(text).type == "boolean"


def test_without_declarations_everything_goes() -> None:
    assert parse("anything > 1 and profile.whatever == 'a'", Names()).type == "boolean"


def test_without_types_what_lies_inside_is_read_with_a_warning() -> None:
    names = Names(steps={"order": StepNames()}, forbidden={"gone": "it is an absent step"})
    (warning,) = parse("address.city == 'sz'", names).warnings
    assert (warning.offset, warning.code) == (0, "inside-of-prop")
    assert parse("items.0.sku == order.items.0.sku", names).warnings == []
    for text in ("ordr.city == 'sz'", "gone.city == 'sz'", "user.city == 'sz'", "address.first.x == 1"):
        assert [problem.code for problem in problems(text, names)] == ["unknown-step"], text


def test_a_bare_step_is_probably_not_meant() -> None:
    (warning,) = parse("exists(order) and exists(city)", Names(steps={"order": StepNames()})).warnings
    assert (warning.offset, warning.code) == (7, "step-as-prop")


@pytest.mark.parametrize(
    ("text", "names", "code"),
    [
        ("amount > 1", Names(bare=False), "no-event"),
        ("event.time > 1", Names(event=False), "no-event"),
        ("profile.level > 1", Names(state=False), "props-only"),
        ("metric.m > 1", Names(state=False), "props-only"),
        ("prior.m > 1", Names(state=False), "props-only"),
        ("in_crowd('a')", Names(state=False), "props-only"),
    ],
)
def test_what_cannot_be_read_there(text: str, names: Names, code: str) -> None:
    (problem,) = problems(text, names)
    assert problem.code == code


@pytest.mark.parametrize(
    ("text", "offset", "code"),
    [
        ("city == 'a' and city == 'b'", 16, "never-true"),
        ("amount > 5 and vip and amount < 3", 23, "never-true"),
        ("(amount > 5 and vip) and 3 > amount", 25, "never-true"),
        ("n > 5 and n < 6", 10, "never-true"),
        ("amount > 5 and not (amount > 5)", 15, "never-true"),
        ("vip and not vip", 8, "never-true"),
        ("3 < amount < 2", 0, "never-true"),
        ("city in ['a'] and city not in ['a']", 18, "never-true"),
        ("city in []", 0, "never-true"),
        ("exists(city) and city == null", 17, "never-true"),
        ("not (city != null)", 5, "never-true"),
        ("hour(event.time) >= 22 and hour(event.time) < 8", 27, "never-true"),
        ("weekday(event.time) == 7", 0, "never-true"),
        ("views.count < 0", 0, "never-true"),
        ("1 == 2 or vip", 0, "never-true"),
        ("'a' == 'a'", 0, "always-true"),
        ("exists(city) or not exists(city)", 16, "always-true"),
        ("not (amount > 1) or amount > 0", 20, "always-true"),
        ("1 if amount > 1 and amount < 0 else 2", 20, "never-true"),
    ],
)
def test_warnings(text: str, offset: int, code: str) -> None:
    (warning,) = checked(text).warnings
    assert (warning.offset, warning.code) == (offset, code)


@pytest.mark.parametrize(
    "text",
    [
        "amount > 5 and amount < 6",
        "n >= 5 and n <= 5",
        "hour(event.time) >= 22 or hour(event.time) < 8",
        "city == 'a' or city == 'b'",
        "city >= 'a' and city < 'b'",
        "amount >= 0.1 and amount <= 0.2",
        "amount > 5 or amount <= 5",  # null is neither
        "tags == [1] or tags == [2]",
        "amount > metric.spend_30d and amount < metric.spend_30d",  # two values: not looked into
        "'a' in city and 'b' in city",
        "contains(city, 'a') and contains(city, 'b')",
    ],
)
def test_no_false_alarms(text: str) -> None:
    assert checked(text).warnings == []
