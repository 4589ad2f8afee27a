"""Whether a message can be made is told without making it, and is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.rule.content.needs import are_there, needed
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


def test_plain_templates_need_no_rendering() -> None:
    def needs(text: str) -> frozenset[str] | None:
        parsed = Templates({"t.sms": text}).parsed("t.sms")
        return needed(parsed.nodes, {"bag": {"title": "Bag"}})  # type: ignore[union-attr]

    assert needs("Hello {{ profile.name }}, {{ order }} is paid") == {"profile.name", "order"}
    assert needs("{{ name | default: 'you' }}{% if a == 1 %} {{ b }}{% elsif c %}x{% endif %}") == {"b"}
    assert needs("{{ material.bag.title }} {{ unsubscribe_url }}") == set()
    assert [needs(text) for text in ("{{ a | upcase }}", "{% for x in a %}{% endfor %}", "{{ material.bag.x }}")] == [
        None
    ] * 3
    assert are_there({"a", "b"}, {"a": "x", "b": 0})
    assert not are_there({"a"}, {"a": None})
    assert not are_there({"a"}, {"a": "x" * 100_000})
