"""What stands where it means nothing: keys that nobody declares, texts that end at a comment."""

from __future__ import annotations

import re

from kairos.engine.channel import CHANNELS
from kairos.engine.expression.slips import slip
from kairos.engine.rule.fields.hints.concepts import CONCEPTS, synonym
from kairos.engine.rule.fields.hints.elsewhere import home_of, is_of_activity
from kairos.engine.rule.fields.types import REQUIRED, Record
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import Report, listed, nearest, shown

_SURE = 0.8
"""Likeness from which a key is taken for a slip of the pen, whatever the word may mean elsewhere."""

_COMMENT = re.compile(r"[ \t]+#\w")


def unknown_key(key: Node, value: Node, type_: Record, report: Report, name: str, alone: bool) -> None:
    """Never shows the value: it may be a secret. `alone`: it has none, as a piece of a list without its brackets."""
    report.error(key, "unknown-key", f"{name}: unknown key {shown(key.text)}", _hint(key.text, value, type_, alone))


def _hint(key: str, value: Node, type_: Record, alone: bool) -> str:
    """What is meant. Words that are known of other places and tools go before names that are only spelt alike."""
    known = [f.name for f in type_.fields]
    if type_.other:
        return f"one {type_.other_what} an entry, beside {listed(known, 'and')}"
    return (
        _no_key(key)
        or _channel(key, known)
        or _without_colon(key, known)
        or synonym(key, [f.name for f in type_.fields if f.default is REQUIRED])
        or nearest(key, known, _SURE)
        or home_of(key, value, type_)
        or synonym(key, known)
        or (CONCEPTS.get(key.lower()) if is_of_activity(type_) else None)
        or nearest(key, known)
        or ("several values of a key stand in brackets: [a, b]" if alone else None)
        or f"known keys: {listed(known, 'and')}"
    )


def _without_colon(key: str, known: list[str]) -> str | None:
    """`{event: a, where x > 5}`."""
    first = key.split(" ")[0]
    return f"a colon is missing behind it: `{first}: ...`" if first != key and first in known else None


def _channel(key: str, known: list[str]) -> str | None:
    """`- email: welcome` in `send`."""
    is_one = key.lower() in CHANNELS and "channel" in known
    return f"`channel: {key.lower()}` and `template: <name>` are keys of their own" if is_one else None


def _no_key(key: str) -> str | None:
    """A character that only looks right, or a colon without a space behind it."""
    if found := slip(key):
        return found[1]
    if re.fullmatch(r"[0-9]{3}", key):
        return "a comma parts entries here: a number is written without, 1000"
    name, colon, value = key.partition(":")
    return f"a colon needs a space behind it: `{name}: ...`" if colon and value else None


def cut_by_comment(node: Node, report: Report, name: str) -> None:
    """`title: Cart #1 left` is, to YAML, `Cart` and a comment. Comments of people have a space behind their #."""
    if not node.style and (found := _COMMENT.match(report.text, node.end)):
        column = node.column + found.end() - 2 - node.start
        message = f"{name}: a # after a space begins a comment, so the text ends before it"
        report.at(node.line, column, "warning", "cut-by-comment", message, "put the text into quotes")
