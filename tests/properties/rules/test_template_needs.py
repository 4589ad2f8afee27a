"""Whether a message can be made is told without making it, and is the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.rule.content.needs import Needs, needs_of
from kairos.engine.rule.content.rendering import ContentError, Renderer
from kairos.engine.rule.content.templates import Templates
from kairos.engine.rule.model import Material

NAMES = ("name", "profile.name", "profile.age", "other", "material.bag.title", "material.bag.nothing", "name.size",
         "name[0]", "unsubscribe_url", "material", "profile")  # fmt: skip
VALUES = st.sampled_from(("Ann", "", " ", 0, 7, 1.5, True, False, None, ["a", None], {"size": 3}, {"a": None}, "<b>"))
PRINTED = st.sampled_from(NAMES).flatmap(
    lambda name: st.sampled_from(
        ("{{ %s }}", "{{ %s | upcase }}", "{{ %s | default: 'you' }}", "{{ %s | default: other }}",
         "{{ %s | divided_by: 0 }}", "{{ 'x' | append: %s }}", "{%% echo %s %%}", "{%% assign z = %s %%}{{ z }}",
         "{{ %s | default: 'a' | append: other }}")
    ).map(lambda form: form % name)
)  # fmt: skip
CONDITIONS = st.sampled_from(NAMES).flatmap(
    lambda name: st.sampled_from(
        ("%s", "%s == 'Ann'", "%s != blank", "%s == nil or other", "%s and other == 7", "%s > 3", "%s contains 'n'",
         "%s == empty", "%s == true")
    ).map(lambda form: form % name)
)  # fmt: skip
TEXTS = st.sampled_from(("Hello ", " ", "\n", ""))
PARTS = st.recursive(
    TEXTS | PRINTED,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(CONDITIONS, inner, inner).map(
            lambda it: f"{{% if {it[0]} %}}{it[1]}{{% else %}}{it[2]}{{% endif %}}"
        ),
        st.tuples(CONDITIONS, CONDITIONS, inner, inner).map(
            lambda it: f"{{% unless {it[0]} %}}{it[2]}{{% elsif {it[1]} %}}{it[3]}{{% endunless %}}"
        ),
        st.tuples(st.sampled_from(NAMES), inner).map(lambda it: f"{{% for x in {it[0]} %}}{it[1]}{{% endfor %}}"),
    ),
    max_leaves=6,
)
MATERIALS = {"bag": Material(title="Bag", image="https://shop.example/bag.png")}


@settings(max_examples=400)
@given(
    body=PARTS,
    head=st.none() | PRINTED,
    channel=st.sampled_from(("sms", "email", "push", "wechat")),
    values=st.dictionaries(st.sampled_from(("name", "profile.name", "profile.age", "other")), VALUES),
)
def test_a_check_says_what_rendering_would(body: str, head: str | None, channel: str, values: dict[str, Any]) -> None:
    text = body if head is None else f"Title: {head}\n\n{body}"
    renderer = Renderer({f"t.{channel}": text}, MATERIALS)
    assert problem(lambda: renderer.check("t", channel, values, None)) == problem(
        lambda: renderer.render("t", channel, values)
    )


def problem(call: Callable[[], object]) -> str:
    try:
        call()
    except ContentError as error:
        return str(error)
    return ""


def needs(text: str) -> Needs | None:
    parsed = Templates({"t.sms": text}).parsed("t.sms")
    return needs_of([parsed.nodes], {"bag": {"title": "Bag", "text": "x" * 10_000}})  # type: ignore[union-attr]


def test_plain_templates_need_no_rendering() -> None:
    none = frozenset[str]()
    assert needs("Hello {{ profile.name }}, {{ order }} is paid") == Needs(frozenset({"profile.name", "order"}), none)
    found = needs("{{ name | default: 'you' }}{% if a == 1 %} {{ b }}{% elsif c %}x{% endif %}")
    assert found == Needs(frozenset({"b"}), frozenset({"name"}))
    assert needs("{{ material.bag.title }} {{ unsubscribe_url }}") == Needs(none, none)
    assert found.are_met({"b": 0})
    assert found.are_met({"b": "x", "name": "Ann"})
    assert not found.are_met({})
    assert not found.are_met({"b": "x", "name": {"first": None}})
    assert not found.are_met({"b": "x" * 100_000})


@pytest.mark.parametrize(
    "text",
    ["{{ a | upcase }}", "{% for x in a %}{% endfor %}", "{{ material.bag.x }}", "{{ material.bag.text }}", "{{ a.b }}",
     "{{ a }}" * 200],
)  # fmt: skip
def test_of_others_only_rendering_tells(text: str) -> None:
    assert needs(text) is None


@pytest.mark.parametrize("value", [{"first": None}, ["a", None], "<" * 1_000, "x" * 1_000_000])
@pytest.mark.parametrize("text", ["Hello {{ name | default: 'you' }}", "<p>" + "{{ name }}" * 99])
def test_odd_values_are_told_as_they_are_rendered(text: str, value: Any) -> None:
    renderer = Renderer({"t.email": text})
    check, render = (
        problem(partial(call, "t", "email", {"name": value}, None)) for call in (renderer.check, renderer.render)
    )
    assert check == render
