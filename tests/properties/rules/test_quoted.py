"""A text that a program writes into a rule file is read back as this text, whatever it says."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kairos.engine.plan.parameter import Given
from kairos.engine.rule.blast import Blast, blast_files
from kairos.engine.rule.fields.spelling import yaml_of
from kairos.engine.rule.fields.types import Text
from kairos.engine.rule.text.edit import find
from kairos.engine.rule.text.nodes import Node, read_yaml
from kairos.engine.rule.text.quoted import as_yaml, quoted

LOOKS_LIKE_MORE = ["2024", "1e5", "0x1f", ".5", "-1", "null", "~", "true", "yes", "---", "a: b", "#", "{a", "- x", ""]
texts = st.one_of(st.sampled_from(LOOKS_LIKE_MORE), st.text(st.characters(codec="utf-8"), max_size=20))
typed = st.one_of(st.sampled_from(LOOKS_LIKE_MORE), st.text(st.characters(exclude_categories=["C"]), max_size=20))


def said(node: Node | None) -> tuple[str, str]:
    assert node is not None
    return node.kind, node.text


@settings(max_examples=100)
@given(texts)
@example("\x7f\x85\u2028\ufeff\uffff\U0001f600\u3000")
def test_in_a_line_and_inside_braces(text: str) -> None:
    for value in (as_yaml(text), quoted(text), Given("text", text).yaml()):
        root = read_yaml(f"a: {value}\nb: {{c: {value}, d: [{value}, x]}}\n")
        assert {said(find(root, path)) for path in (("a",), ("b", "c"), ("b", "d", 0))} == {("text", text)}


@settings(max_examples=50)
@given(texts.filter(bool))
def test_a_title_of_a_broadcast(text: str) -> None:
    blast = Blast("spring", "shop", "email", "2026-12-01T09:00", title=text, topic=text, timezone=text)
    root = read_yaml(blast_files(blast)["activities/shop/spring.yaml"])
    for path in (("title",), ("topic",), ("trigger", "schedule", "timezone")):
        assert said(find(root, path)) == ("text", text)


@settings(max_examples=50)
@given(typed)
def test_what_is_typed_into_a_field(text: str) -> None:
    value = yaml_of(text, Text())
    expected = " ".join(text.split())
    assert (value is None) is (not expected)
    if value is not None:
        assert said(find(read_yaml(f"a: {{b: {value}}}"), ("a", "b"))) == ("text", expected)
