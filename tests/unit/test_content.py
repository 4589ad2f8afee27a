"""Messages out of templates and values."""

from __future__ import annotations

import pytest

from kairos.adapters.content import MAX_LOOP_TURNS, ContentError, Renderer


def render(template: str, values: dict[str, object] | None = None, **partials: str) -> str:
    return Renderer({"t.sms": template, **partials}).render("t", "sms", values or {})


def test_values_by_name_and_by_path() -> None:
    values = {"n": 3, "profile.name": "Ada", "profile.level": 2}
    assert render("{{ profile.name }} ({{ profile.level }}): {{ n }}\n", values) == "Ada (2): 3"


def test_what_is_missing_leaves_its_default() -> None:
    assert render("{{ profile.name | default: 'you' }}{% if n %} {{ n }}{% endif %}", {"profile.name": None}) == "you"


def test_without_a_template_the_message_is_the_values() -> None:
    assert Renderer({}).render(None, "webhook", {"b": 1, "a": "é"}) == '{"a":"é","b":1}'


def test_a_partial_comes_from_the_templates() -> None:
    assert render("{% render 'footer' %}", footer="Reply STOP") == "Reply STOP"


@pytest.mark.parametrize(
    "template",
    [
        "{{ n | nonsense }}",
        "{% for",
        "{% render 'nowhere' %}",
        "{% render '../../etc/passwd' %}",
        f"{{% for i in (1..{MAX_LOOP_TURNS + 1}) %}}x{{% endfor %}}",
        "{% for i in (1..1000) %}{{ long }}{% endfor %}",
    ],
)
def test_what_cannot_be_rendered_is_named(template: str) -> None:
    with pytest.raises(ContentError, match=r"^templates/t\.sms\.liquid: "):
        render(template, {"long": "x" * 2000})


def test_a_template_that_is_not_there() -> None:
    with pytest.raises(ContentError, match=r"^templates/u\.sms\.liquid: "):
        Renderer({}).render("u", "sms", {})


def test_nested_loops_are_bounded_together() -> None:
    with pytest.raises(ContentError):
        render("{% for i in (1..100) %}{% for j in (1..100) %}x{% endfor %}{% endfor %}")
