"""What a template needs: by name, required or not, through its partials."""

from __future__ import annotations

import pytest

from kairos.engine.pattern import Pattern, Step
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.content.rendering import Renderer
from kairos.engine.rule.content.template_facts import MAX_DEPTH
from kairos.engine.rule.content.templates import Templates
from kairos.engine.rule.model import Activity, RuleSet, Send
from kairos.engine.rule.release import Release

PARTIALS = {
    "footer": "{{ town }}, {{ profile.city }}",
    "list": "{% for x in items %}{{ x }}{{ forloop.index }}{% endfor %}",
    "outer": "{% render 'footer', town: a %}{% render 'list', items: b %}",
}


@pytest.mark.parametrize(
    ("text", "variables", "required"),
    [
        ("plain", [], []),
        ("{{ a }} {{ b.c }} {{ a }}", ["a", "b"], ["a", "b"]),
        ("{{ profile.name }} {{ material.banner.image }}", ["profile.name", "material.banner.image"], None),
        ("{{ a | default: 'x' }}", ["a"], []),
        ("{{ a | upcase | default: b }}", ["a", "b"], []),
        ("{{ a | append: b }}", ["a", "b"], None),
        ("{% if a %}{{ a }}{% endif %}", ["a"], []),
        ("{% if a %}{{ b }}{% endif %}", ["a", "b"], ["b"]),
        ("{% unless a == 1 %}{{ a }}{% endunless %}", ["a"], []),
        ("{% case a %}{% when b %}{{ a }}{{ c }}{% endcase %}", ["a", "b", "c"], ["c"]),
        ("{% for x in a %}{{ x.y }}{{ b }}{% endfor %}", ["a", "b"], ["b"]),
        ("{% assign x = a %}{{ x }}", ["a"], ["a"]),
        ("{% assign x = a | default: 'b' %}{{ x }}", ["a"], []),
        ("{% capture x %}{{ a }}{% endcapture %}{{ x }}", ["a"], ["a"]),
        ("{% echo a %}{% cycle 'x', 'y' %}", ["a"], ["a"]),
        ("{% render 'footer', town: a %}", ["a", "profile.city"], None),
        ("{% render 'footer' %}", ["town", "profile.city"], None),
        ("{% render 'outer', a: x, b: y %}", ["x", "y", "profile.city"], None),
        ("{% if profile.city %}{% render 'footer', town: 'x' %}{% endif %}", ["profile.city"], []),
        ("{% comment %}{{ a }}{% endcomment %}{% raw %}{{ b }}{% endraw %}", [], []),
    ],
)
def test_variables(text: str, variables: list[str], required: list[str] | None) -> None:
    """`required` None: all of them."""
    texts = {**PARTIALS, "t.sms": text}
    found = Templates(texts).facts("t.sms").variables
    assert {v.name for v in found} == set(variables)
    assert {v.name for v in found if v.required} == set(variables if required is None else required)
    carried = [name for name in variables if not name.startswith("material.")]
    assert sorted(Renderer(texts).variables("t", "sms")) == sorted(carried)


def test_a_template_that_is_not_there_needs_nothing() -> None:
    assert Renderer({}).variables("t", "sms") == ()


def test_what_a_template_renders() -> None:
    texts = {**PARTIALS, "t.sms": "{% render 'outer' %}"}
    assert Templates(texts).facts("t.sms").renders == {"outer", "footer", "list"}


def test_problems_of_a_partial_are_told_of_the_partial_alone() -> None:
    texts = {"bad": "{{ a | nope }}", "t.sms": "{% render 'bad' %}"}
    facts = Templates(texts)
    assert facts.facts("t.sms").problems == []
    assert [p.code for p in facts.facts("bad").problems] == ["template-filter"]


def test_partials_that_render_each_other() -> None:
    texts = {"a": "x{% render 'b' %}", "b": "{% render 'a' %}", "t.sms": "{% render 'a' %}"}
    facts = Templates(texts)
    assert [str(p.message) for p in facts.facts("a").problems] == ["renders itself without end: a -> b -> a"]
    assert [(p.offset, p.code) for p in facts.facts("b").problems] == [(3, "template-cycle")]
    assert facts.facts("t.sms").problems == []


HOPELESS = {
    "braces": "{" * 100_000,
    "tags": "{% if " * 16_000,
    "spaces": "{{" + " " * 90_000,
    "spaces_in_a_tag": "{% if " + " " * 90_000 + "%}",
    "raw": "{% raw %}" * 10_000,
    "doc": "{%- doc %}" * 10_000,
    "large": "x" * 100_001,
}


@pytest.mark.parametrize("text", HOPELESS.values(), ids=HOPELESS.keys())
@pytest.mark.timeout(20)
def test_what_would_take_the_parser_minutes_is_refused_before(text: str) -> None:
    facts = Templates({"t.sms": text, "other.sms": "{% render 't.sms' %}"})
    assert [p.code for p in facts.facts("t.sms").problems] == ["template-syntax"]
    assert facts.facts("other.sms").problems == []


def test_a_large_and_a_spacious_template_are_fine() -> None:
    text = "{{ a }}\n" * 5_000 + "{{ b" + " " * 150 + "}}" + "x" * 50_000
    assert Templates({"t.sms": text}).facts("t.sms").problems == []


@pytest.mark.timeout(20)
def test_renders_that_double_are_refused() -> None:
    """Fifteen partials, each rendering the next one twice: 32,768 in the end."""
    texts = {f"p{n}": f"{{% render 'p{n + 1}' %}}{{% render 'p{n + 1}' %}}" for n in range(15)} | {"p15": "x"}
    assert [p.code for p in Templates(texts).facts("p0").problems] == ["template-renders"]
    assert Templates(texts).facts("p10").problems == []


@pytest.mark.parametrize(
    ("length", "codes"), [(MAX_DEPTH, []), (MAX_DEPTH + 1, ["template-depth"]), (3_000, ["template-depth"])]
)
def test_renders_that_nest_too_deep_are_refused(length: int, codes: list[str]) -> None:
    """`length` templates in a chain."""
    texts = {f"p{n}": f"{{% render 'p{n + 1}' %}}" for n in range(length - 1)} | {f"p{length - 1}": "x"}
    assert [p.code for p in Templates(texts).facts("p0").problems] == codes


def test_a_partial_that_changes_changes_what_is_compiled() -> None:
    """What a delivery must carry follows from partials too."""
    activity = Activity("a", Pattern((Step("event", ("x",), "x"),)), send=(Send("sms", "t"), Send("email", "t")))
    texts = {"t.sms": "{% render 'footer' %}", "t.email": "hello", "footer": "x"}
    old = compile_release(Release(1, RuleSet({"a": activity}, templates=texts)), max_runs=10)
    assert old.activities["a"].variants[0].sends[0].variables == ()
    texts = texts | {"footer": "{{ profile.city }}"}
    new = compile_release(Release(2, RuleSet({"a": activity}, templates=texts)), old, max_runs=10)
    assert new.activities["a"].variants[0].sends[0].variables == ("profile.city",)
    same = compile_release(Release(3, RuleSet({"a": activity}, templates=texts | {"other.sms": "x"})), new, max_runs=10)
    assert same.activities["a"].variants == new.activities["a"].variants
