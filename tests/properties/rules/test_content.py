"""Messages out of any template and any values: made or refused, and no value is more than text."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.rule.content.rendering import Content, ContentError, Renderer
from kairos.engine.rule.model import Material

PIECES = (
    *("Subject: ", "Link:", "x-Y_z: ", "\n", "\n\n", "\r\n", " ", "Hello", ":", "<html>", "é"),
    *(
        "{{ a }}",
        "{{ b.c }}",
        "{{ profile.name }}",
        "{{ material.m.title }}",
        "{{ a | default: 'none' }}",
        "{{ a | nope }}",
    ),
    *(
        "{% if a %}",
        "{% endif %}",
        "{% for x in b %}",
        "{{ x }}",
        "{% endfor %}",
        "{% render 'p', v: a %}",
        "{% raw %}",
    ),
    *("{% assign a = 'x' %}", "{% capture q %}", "{% endcapture %}", "{{ a | split: ':' | join: b }}", "{{", "%}"),
)
TEMPLATES = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["x\nBcc: all", "\r\n\r\n", "{{ profile.name }}", "a\u2028b: c"])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("cd"), inner, max_size=2)),
    max_leaves=6,
)
DATA = st.fixed_dictionaries({}, optional={"a": VALUES, "b": VALUES, "profile.name": VALUES})
PARTIAL = "[{{ v }}]"


def made(template: str, channel: str, data: dict[str, Any]) -> Content | None:
    """None: refused, and the place was named."""
    renderer, said = Renderer({f"t.{channel}": template, "p": PARTIAL}, {"m": Material(title="M")}), ""
    try:
        return renderer.render("t", channel, data)
    except ContentError as error:
        said = str(error)
    assert said.startswith("templates/")
    return None


def written_names(template: str) -> set[str]:
    """The names before the colons, of all lines up to the first empty one."""
    lines = template.replace("\r\n", "\n").split("\n")
    names: set[str] = set()
    for line in lines:
        if not line.strip():
            break
        names.add(line.partition(":")[0].lower().replace("-", "_"))
    return names


@given(TEMPLATES, st.sampled_from(["email", "sms", "webhook"]), DATA)
@settings(max_examples=400)
def test_a_message_is_made_or_refused(template: str, channel: str, data: dict[str, Any]) -> None:
    content = made(template, channel, data)
    for name, value in content.headers.items() if content else ():
        assert name in written_names(template)
        assert value.split() == value.split(" ")
        assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value)


@given(TEMPLATES, TEXTS, TEXTS)
@settings(max_examples=300)
def test_which_headers_there_are_is_the_templates_word(template: str, one: str, two: str) -> None:
    """Two texts that are not empty, and not blank, give the same headers."""
    first, second = (made(template, "email", {"a": f"x{text}", "profile.name": f"y{text}"}) for text in (one, two))
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert first.headers.keys() == second.headers.keys()


@given(TEXTS)
@pytest.mark.parametrize("channel", ["sms", "wechat"])
def test_a_value_is_one_parameter(channel: str, text: str) -> None:
    content = made("first: {{ a }}\nlast: x", channel, {"a": text})
    assert content is not None
    lines = content.text.splitlines()
    assert len(lines) == 2
    assert lines[1] == "last: x"


@given(TEXTS)
def test_a_value_is_no_markup(text: str) -> None:
    content = made("<html><b>{{ a }}</b>", "email", {"a": text})
    assert content is not None
    inside = content.text.removeprefix("<html><b>").removesuffix("</b>")
    assert not {"<", ">", '"'} & set(inside)
