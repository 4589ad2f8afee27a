"""What could stand where somebody types: the keys that are missing there, the words of a value, names of the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from kairos.engine.rule.fields.shape import options_of, record_of, type_at
from kairos.engine.rule.fields.types import OneOf, Type
from kairos.engine.rule.text.edit import Path, find
from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml

MOST = 50
_MARK = "kairoscompletesthis"
_WORD = re.compile(r"[A-Za-z0-9_]*\Z")
_REST = re.compile(r"[A-Za-z0-9_]*")
_LINE_BEGINS = re.compile(r"[\s-]*")
_CLOSING = {"{": "}", "[": "]"}

Names = Mapping[str, Sequence[str]]
"""Key -> names that may stand behind it: crowds, caps, event types."""


class Word(msgspec.Struct, frozen=True):
    text: str
    doc: str = ""


class Completion(msgspec.Struct, frozen=True):
    """`words` may stand in place of the text from `start` to `end`, offsets in characters."""

    start: int
    end: int
    words: list[Word]


def complete(text: str, at: int, type_: Type, names: Names) -> Completion:
    """At the offset `at` of a file of this type, whether the text is valid YAML there or not."""
    typed, rest = _WORD.search(text, 0, at), _REST.match(text, at)
    assert typed is not None
    assert rest is not None
    start, end = typed.start(), rest.end()
    begun, whole = text[start:at], text[start:end]
    for root, path, is_key in _readings(text, start, end):
        words = _keys(root, path[:-1], type_) if is_key else _values(path, type_, names)
        fitting = [word for word in words if word.text.startswith(begun) and word.text.rstrip(": ") != whole]
        if fitting:
            return Completion(start, end, fitting[:MOST])
    return Completion(start, end, [])


def _keys(root: Node, path: Path, type_: Type) -> Iterator[Word]:
    declared, there = type_at(type_, path), find(root, path)
    record = record_of(declared) if declared is not None else None
    if record is None or there is None:
        return
    written = {key.text for key, _ in there.entries}
    for each in record.fields:
        if each.name not in written:
            yield Word(f"{each.name}: ", each.doc)


def _values(path: Path, type_: Type, names: Names) -> Iterator[Word]:
    declared = type_at(type_, path)
    options = declared.options if isinstance(declared, OneOf) else (declared,)
    for option in options:
        yield from map(Word, options_of(option) if option is not None else ())
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    yield from map(Word, names.get(key, ()))


def _readings(text: str, start: int, end: int) -> Iterator[tuple[Node, Path, bool]]:
    """The text with a mark in place of the word, read as far as it can be; the path to the mark, and whether it is a
    key. Where a line begins it is one rather than a value."""
    line = text[text.rfind("\n", 0, start) + 1 : start]
    closing = "".join(_CLOSING[each] for each in reversed(_unclosed(line)))
    after = text[end:]
    following = after[after.find("\n") :] if "\n" in after else ""
    marks = (f"{_MARK}: x", _MARK) if _LINE_BEGINS.fullmatch(line) else (_MARK, f"{_MARK}: x")
    for mark in marks:
        for tail in dict.fromkeys((after, closing + following, closing)):
            try:
                root = read_yaml(text[:start] + mark + tail)
            except YamlError:
                continue
            if root is not None and (found := _path_to(root, ())) is not None:
                yield (root, *found)
                break


def _unclosed(line: str) -> list[str]:
    stack: list[str] = []
    for each in line:
        if each in _CLOSING:
            stack.append(each)
        elif stack and each == _CLOSING[stack[-1]]:
            stack.pop()
    return stack


def _path_to(node: Node, path: Path) -> tuple[Path, bool] | None:
    for key, value in node.entries:
        if key.text == _MARK:
            return (*path, key.text), True
        if value.is_scalar and value.text == _MARK:
            return (*path, key.text), False
        if (found := _path_to(value, (*path, key.text))) is not None:
            return found
    for place, item in enumerate(node.items):
        if item.is_scalar and item.text == _MARK:
            return (*path, place), False
        if (found := _path_to(item, (*path, place))) is not None:
            return found
    return None
