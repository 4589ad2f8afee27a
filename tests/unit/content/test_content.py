"""Messages out of templates, values and materials."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.rule.content.rendering import Content, ContentError, Renderer
from kairos.engine.rule.model import Material, MiniProgram
from kairos.engine.template.liquid import MAX_LOOP_TURNS, MAX_OUTPUT

SALE = Material(title="Spring", image="https://cdn.example.com/s.png", mini_program=MiniProgram("wx1", "pages/sale"))


def content(template: str, values: dict[str, Any] | None = None, **partials: str) -> Content:
    return Renderer({"t.sms": template, **partials}, {"sale": SALE}).render("t", "sms", values or {})


def render(template: str, values: dict[str, Any] | None = None, **partials: str) -> str:
    return content(template, values, **partials).text


def test_values_by_name_and_by_path() -> None:
    values = {"n": 3, "profile.name": "Ada", "profile.level": 2}
    assert render("{{ profile.name }} ({{ profile.level }}): {{ n }}\n", values) == "Ada (2): 3"


def test_what_is_missing_leaves_its_default() -> None:
    assert render("{{ profile.name | default: 'you' }}{% if n %} {{ n }}{% endif %}", {"profile.name": None}) == "you"


def test_without_a_template_the_message_is_the_values() -> None:
    assert Renderer({}).render(None, "webhook", {"b": 1, "a": "é"}) == Content({}, '{"a":"é","b":1}')


def test_a_partial_comes_from_the_templates() -> None:
    assert render("{% render 'footer' %}", footer="Reply STOP") == "Reply STOP"


def test_materials_by_path() -> None:
    text = "{{ material.sale.title }} {{ material.sale.image }} {{ material.sale.mini_program.path }}"
    assert render(text) == "Spring https://cdn.example.com/s.png pages/sale"


# ------------------------------------------------------------------------------------------------------------ heads
@pytest.mark.parametrize(
    ("text", "headers", "body"),
    [
        ("Subject: Hi\n\nBody\n", {"subject": "Hi"}, "Body"),
        ("Subject: Hi\nMini-Program-Path:  a/b \n\nBody\n\nmore\n", {"subject": "Hi", "mini_program_path": "a/b"},
         "Body\n\nmore"),
        ("Subject: Hi\r\n\r\nBody\r\n", {"subject": "Hi"}, "Body"),
        ("Subject: Hi\n \t\nBody", {"subject": "Hi"}, "Body"),
        ("Title: Hi\n\n", {"title": "Hi"}, ""),
        ("Template-Code: SMS_1\n\n", {"template_code": "SMS_1"}, ""),
        ("Subject: {{ n }} of {{ n }}\n\nBody {{ n }}", {"subject": "2 of 2"}, "Body 2"),
        ("Subject:\n\nBody", {}, "Body"),
        ("Subject: {% if m %}x{% endif %}\n\nBody", {}, "Body"),
        ("Subject: one\nSubject: two\n\nBody", {"subject": "one"}, "Body"),
        ("Subject: Hi\nBody\n", {}, "Subject: Hi\nBody"),
        ("Subject: Hi\nno header\n\nBody", {}, "Subject: Hi\nno header\n\nBody"),
        ("Hello\nSubject: Hi\n\nBody", {}, "Hello\nSubject: Hi\n\nBody"),
        ("\nSubject: Hi\n\nBody", {}, "Subject: Hi\n\nBody"),
        ("https://example.com\n\nBody", {}, "https://example.com\n\nBody"),
        ("Subject: {{ material.sale.title }}\n\nBody", {"subject": "Spring"}, "Body"),
    ],
)  # fmt: skip
def test_head_and_body(text: str, headers: dict[str, str], body: str) -> None:
    assert content(text, {"n": 2}) == Content(headers, body)


@pytest.mark.parametrize(
    "value", ["x\nBcc: all@example.com", "x\r\n\r\nBody", "x\u2028y", "x\x85y", "x\x00\x1b[2J", "\t x"]
)
def test_a_value_never_adds_a_header_or_ends_the_head(value: str) -> None:
    found = content("Subject: {{ v }}!\n\nText", {"v": value})
    assert list(found.headers) == ["subject"]
    assert found.headers["subject"].isprintable()
    assert found.text == "Text"


def test_a_value_that_is_liquid_or_a_head_is_text() -> None:
    value = "Subject: x\n\n{{ profile.name }}"
    assert Renderer({"t.email": "{{ v }}"}).render("t", "email", {"v": value}) == Content({}, value)


def test_letters_that_join_others_stay_in_a_header() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert content("Title: {{ v }}\n\nx", {"v": family}).headers == {"title": family}


@pytest.mark.parametrize("channel", ["wechat", "sms"])
def test_a_value_never_adds_a_parameter(channel: str) -> None:
    texts = {f"t.{channel}": "name: {{ profile.name }}\nitems: {{ items | join: '+' }}, {{ box.label }}\n"}
    values = {"profile.name": "Ada\ngift: car", "items": ["a\r\n\r\nb: c", 3], "box": {"label": "x\u2028y: z"}}
    text = Renderer(texts).render("t", channel, values).text
    assert text == "name: Ada gift: car\nitems: a b: c+3, x y: z"


def test_values_keep_their_lines_elsewhere() -> None:
    assert Renderer({"t.email": "{{ v }}"}).render("t", "email", {"v": "a\nb"}).text == "a\nb"


@pytest.mark.parametrize(
    "start",
    ["<!doctype html>", "\n  <!DOCTYPE html>\n", "<html>", "<body>", "<!-- v2 -->\n<!-- > --> <HTML lang=de>", "<p>"],
)
def test_values_are_escaped_in_a_mail_that_is_html(start: str) -> None:
    texts = {
        "t.email": "Subject: {{ v }}\n\n" + start + "{{ v }} {{ v | upcase }} {% render 'part', w: v %}"
        '<a href="{{ material.sale.image }}">',
        "part": "<i>{{ w }}</i>",
    }
    sale = {"sale": Material(image="https://cdn.example.com/s.png?a=1&b=2")}
    found = Renderer(texts, sale).render("t", "email", {"v": "<b>&"})
    assert found.html
    assert found.headers == {"subject": "<b>&"}
    assert found.text == start.lstrip() + (
        '&lt;b&gt;&amp; &lt;B&gt;&amp; <i>&lt;b&gt;&amp;</i><a href="https://cdn.example.com/s.png?a=1&amp;b=2">'
    )


@pytest.mark.parametrize(("channel", "start"), [("email", "Dear "), ("push", "<html>"), ("webhook", "<html>")])
def test_values_are_as_they_are_elsewhere(channel: str, start: str) -> None:
    found = Renderer({f"t.{channel}": start + "{{ v }}"}).render("t", channel, {"v": "<b>"})
    assert (found.text, found.html) == (start + "<b>", False)


def test_a_value_makes_no_page_of_a_mail() -> None:
    assert Renderer({"t.email": "{{ v }}"}).render("t", "email", {"v": "<html>"}) == Content({}, "<html>", html=False)


def test_another_message_rendered_inside_brings_its_body_only() -> None:
    assert render("{% render 'other.sms' %}", **{"other.sms": "Title: x\n\nBody"}) == "Body"


# ---------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("{{ n | nonsense }}", ":1:8: unknown filter 'nonsense'"),
        ("Hello\n{% for", ":2:"),
        ("Title: {{ x\n\nBody", ":1:8: "),
        ("{% render 'nowhere' %}", ":1:11: there is no template 'nowhere'"),
        ("{% render '../../etc/passwd' %}", ":1:11: there is no template"),
        ("{% include 'footer' %}", ":1:4: 'include' is not available"),
        (f"x\n{{% for i in (1..{MAX_LOOP_TURNS + 1}) %}}x{{% endfor %}}", r":2:13: a loop of 1,001 turns"),
        ("{% for i in (1..1000) %}{{ long }}{% endfor %}", ":1:4: output stream limit reached"),
        ("{{ material.winter.image }}", ": no value for material.winter.image"),
        ("{{ material.sale.link }}", ": no value for material.sale.link"),
        ("Hello {{ who }} {{ profile.name }}", ": no value for who, profile.name"),
        ("Title: {{ who }}\n\nHello", ": no value for who"),
    ],
)
def test_what_cannot_be_rendered_is_named(template: str, place: str) -> None:
    with pytest.raises(ContentError) as error:
        render(template, {"long": "x" * 2000, "n": 1}, footer="x")
    assert str(error.value).startswith(f"templates/t.sms.liquid{place}")


def test_a_template_that_is_not_there() -> None:
    with pytest.raises(ContentError, match=r"^templates/u\.sms\.liquid: there is no such template"):
        Renderer({}).render("u", "sms", {})


def test_a_mistake_in_a_partial_is_told_where_it_is() -> None:
    with pytest.raises(ContentError, match=r"^templates/footer\.liquid:2:8: unknown filter"):
        render("Hello {% render 'outer' %}", outer="{% render 'footer' %}", footer="x\n{{ a | nope }}")
    with pytest.raises(ContentError, match=r"^templates/footer\.liquid:1:1"):
        render("Hello {% render 'footer' %}", footer="{% if ")


def test_what_goes_wrong_in_a_partial_is_told_where_it_is() -> None:
    with pytest.raises(ContentError, match=r"^templates/f\.liquid:2:4: loop iteration limit"):
        render("x\n{% render 'f', l: list %}", {"list": [1] * 1_001}, f="a\n{% for i in l %}{{ i }}{% endfor %}")
    with pytest.raises(ContentError, match=r"^templates/t\.sms\.liquid:3:8: divided_by"):
        render("Title: {{ n }}\n\n{{ n | divided_by: 0 }}{% render 'f' %}", {"n": 1}, f="x")


def test_nested_loops_are_bounded_together() -> None:
    with pytest.raises(ContentError, match="loop iteration limit"):
        render("{% for i in a %}{% for j in a %}x{% endfor %}{% endfor %}", {"a": [1] * 100})


@pytest.mark.timeout(20)
def test_numbers_without_end_are_bounded() -> None:
    with pytest.raises(ContentError, match="local namespace limit"):
        render("{% assign n = 9 %}{% for i in (1..900) %}{% assign n = n | times: n %}{% endfor %}{{ n }}")


def test_a_loop_over_a_long_list_is_bounded() -> None:
    with pytest.raises(ContentError, match="loop iteration limit"):
        render("{% for i in list %}x{% endfor %}", {"list": [1] * (MAX_LOOP_TURNS + 1)})


def test_what_a_template_keeps_is_bounded() -> None:
    """Doubling a text a thousand times."""
    with pytest.raises(ContentError, match="local namespace limit"):
        render("{% assign s = 'xx' %}{% for i in (1..1000) %}{% assign s = s | append: s %}{% endfor %}")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["{" * 100_000, "{{" + " " * 90_000, "x" * (MAX_OUTPUT // 10 + 1)])
def test_what_would_take_the_parser_minutes_is_refused(text: str) -> None:
    with pytest.raises(ContentError, match=r"^templates/t\.sms\.liquid:"):
        render(text)
    with pytest.raises(ContentError):
        render("{% render 'partial' %}", partial=text)


def test_filters_that_fail_are_told() -> None:
    with pytest.raises(ContentError, match=r"^templates/t\.sms\.liquid"):
        render("{{ n | divided_by: 0 }}", {"n": 1})


def test_a_template_that_failed_fails_again_and_others_go_on() -> None:
    renderer = Renderer({"bad.sms": "{{ n | nope }}", "good.sms": "{{ n }}"})
    for _ in range(2):
        with pytest.raises(ContentError):
            renderer.render("bad", "sms", {"n": 1})
        assert renderer.render("good", "sms", {"n": 1}).text == "1"
