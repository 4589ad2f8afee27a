"""Every visible character of a scalar's value is found where it stands in the file."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.rule.text.nodes import Node, read_yaml
from kairos.engine.rule.text.place import place_in_scalar

WORDS = st.lists(st.text("abcxyz019_.<>=()'\"é中😀", min_size=1, max_size=6), min_size=1, max_size=8)
PLAIN_WORDS = st.lists(st.text("abcxyz019_.<>=()é中😀", min_size=1, max_size=6), min_size=1, max_size=8)
GAPS = st.lists(st.sampled_from([" ", "  ", "\n    ", " \n      ", "\n\n    "]), min_size=8, max_size=8)
INDENTS = st.lists(st.sampled_from(["\n    ", "\n\n    ", "\n      "]), min_size=8, max_size=8)


def scalar_of(text: str) -> Node:
    root = read_yaml(text)
    assert root is not None
    return root.entries[0][1]


def joined(words: list[str], gaps: list[str]) -> str:
    return words[0] + "".join(gap + word for gap, word in zip(gaps, words[1:], strict=False))


def assert_found(text: str) -> None:
    node = scalar_of(text)
    lines = text.split("\n")
    for offset, char in enumerate(node.text):
        if char.isspace():
            continue
        line, column = place_in_scalar(text, node, offset)
        assert lines[line - 1][column - 1] == char, (offset, char, line, column)


@given(PLAIN_WORDS, GAPS)
def test_plain(words: list[str], gaps: list[str]) -> None:
    assert_found(f"# é\nkey:   x{joined(words, gaps)}\n")


@given(WORDS, GAPS)
def test_single_quoted(words: list[str], gaps: list[str]) -> None:
    quoted = joined([word.replace("'", "''") for word in words], gaps)
    assert_found(f"中: '{quoted}'\n")


@given(WORDS, GAPS)
def test_double_quoted(words: list[str], gaps: list[str]) -> None:
    quoted = joined([word.replace('"', "”") for word in words], gaps)
    assert_found(f'- {{key: "{quoted}"}}\n'.replace("- ", "  ", 1))


@given(WORDS, INDENTS, st.sampled_from(["|", "|-", "|+", ">", ">-", ">+", "|2-  # why", ">4"]))
def test_block(words: list[str], gaps: list[str], header: str) -> None:
    indent = "    " if header == ">4" else "  "
    assert_found(f"key: {header}\n{indent}x{joined(words, gaps)}\n")


@given(st.text('ab"\\/\n\té中😀\x07', min_size=1, max_size=20))
def test_escapes_of_double_quoted_text_are_found_where_they_begin(value: str) -> None:
    text = f"key: {json.dumps(value, ensure_ascii=False)}\n"
    node = scalar_of(text)
    assert node.text == value
    pieces, at = [], 6
    for char in value:
        pieces.append(at)
        at += len(json.dumps(char, ensure_ascii=False)) - 2
    for offset, char in enumerate(value):
        if not char.isspace():
            assert place_in_scalar(text, node, offset) == (1, pieces[offset] + 1)
