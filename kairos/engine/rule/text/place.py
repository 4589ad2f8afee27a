"""Where a character of a scalar's value stands in the file."""

from __future__ import annotations

from kairos.engine.rule.text.nodes import Node

_ESCAPE_DIGITS = {"x": 2, "u": 4, "U": 8}


def place_in_scalar(text: str, node: Node, offset: int) -> tuple[int, int]:
    """(line, column), from 1, of the character at `offset` of the value; quotes, escapes and folds are followed."""
    index = _index(text, node, offset)
    line_start = text.rfind("\n", 0, index) + 1
    if line_start <= node.start:
        return node.line, node.column + index - node.start
    return node.line + text.count("\n", node.start, index), index - line_start + 1


def _index(text: str, node: Node, offset: int) -> int:
    """Walks value and source side by side: both have the same visible characters in the same order."""
    index = _first(text, node)
    for k, char in enumerate(node.text[: offset + 1]):
        if not char.isspace():
            while index < node.end and (text[index].isspace() or _is_fold(text, node, index)):
                index += 1
        if k == offset:
            break
        index = min(index + _width(text, node, index, char), node.end)
    return min(index, max(node.end - 1, node.start))


def _first(text: str, node: Node) -> int:
    if node.style in ("'", '"'):
        return node.start + 1
    if node.style in ("|", ">"):
        return text.find("\n", node.start) + 1 or node.start
    return node.start


def _is_fold(text: str, node: Node, index: int) -> bool:
    """A backslash at the end of a line of double-quoted text joins the lines and stands for nothing."""
    return node.style == '"' and text[index] == "\\" and text[index + 1 : index + 2] in ("\n", "\r")


def _width(text: str, node: Node, index: int, char: str) -> int:
    """How many characters of the file the one at `index` takes: none for a folded space, until it is skipped."""
    if node.style == '"' and text[index] == "\\" and not _is_fold(text, node, index):
        return 2 + _ESCAPE_DIGITS.get(text[index + 1], 0)
    if node.style == "'" and text[index : index + 2] == "''":
        return 2
    return 1 if not char.isspace() or text[index].isspace() else 0
