"""Parameters put into a plan, node by node: what a `{$: wait}` or a key `$name` takes up in the file becomes the
value, spelt as YAML; everything else, comments too, stays as it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kairos.engine.plan.parameter import Given, Values, distance
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import Report, listed, nearest, shown

MARK = "$"
_MOVES = ("plus", "minus", "from")
_KEYS = (MARK, *_MOVES, "literal")
_TEXT_TYPES = ("string", "name", "event", "prop")


class Edit(NamedTuple):
    """[start, end) of a text, in characters, becomes `text`."""

    start: int
    end: int
    text: str


def edited(text: str, edits: list[Edit]) -> str:
    """The text with these edits made; they do not overlap."""
    parts, at = [], 0
    for edit in sorted(edits):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


@dataclass
class Filling:
    """A plan's text with all parameters put in, and the way back: from a place in it to the place in the plan."""

    before: str
    edits: list[Edit] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        return edited(self.before, self.edits)

    def place(self, line: int, column: int) -> tuple[int, int]:
        """The place in the plan that this place of the filled text came from."""
        lines = self.text.splitlines(keepends=True)
        offset = sum(map(len, lines[: line - 1])) + column - 1
        moved = 0
        for edit in sorted(self.edits):
            start = edit.start + moved
            if offset < start:
                break
            if offset < start + len(edit.text):
                return _place(self.before, edit.start)
            moved += len(edit.text) - (edit.end - edit.start)
        return _place(self.before, offset - moved)


def _place(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def fill(text: str, nodes: list[Node], values: Values, report: Report) -> Filling:
    """`nodes`: the parts of the plan in which parameters may stand."""
    filling = Filling(text)
    walk = _Walk(filling, values, report)
    for node in nodes:
        walk.inside(node)
    return filling


@dataclass
class _Walk:
    filling: Filling
    values: Values
    report: Report

    def inside(self, node: Node) -> None:
        if _is_mark(node):
            if (found := self._value(node)) is not None:
                self._put(node, found)
            return
        for item in node.items:
            self.inside(item)
        for key, value in node.entries:
            if _is_mark(value) and self._is_nothing(value):
                self._leave_out(key, value)
                continue
            if key.text.startswith(MARK) and not key.style:
                self._key(key)
            self.inside(value)

    def _key(self, node: Node) -> None:
        found = self._named(node, node.text.removeprefix(MARK))
        if found is None:
            return
        if found.text is None or found.type not in _TEXT_TYPES:
            self.report.error(node, "bad-mark", f"{shown(node.text)}: a key is a name, an event type or a prop")
        else:
            self._edit(node.start, node.end, found.yaml())

    def _put(self, node: Node, found: Given) -> None:
        if found.text is None:
            message = "a parameter that is nothing leaves out the key that it stands behind, and here there is none"
            self.report.error(node, "bad-mark", message, "give it a default")
        elif node.style != "flow":
            self.report.error(node, "bad-mark", "a parameter stands in braces: {$: name}")
        else:
            literal = any(key.text == "literal" and value.value is True for key, value in node.entries)
            self._edit(node.start, node.end, found.yaml(literal))

    def _leave_out(self, key: Node, value: Node) -> None:
        """Removes an entry by removing its line; so it has to stand on a line of its own."""
        self._named(key, _name(value) or "")
        text = self.filling.before
        start = text.rfind("\n", 0, key.start) + 1
        end = text.find("\n", value.end)
        end = len(text) if end < 0 else end + 1
        if text[start : key.start].strip() or text[value.end : end].split("#", 1)[0].strip():
            message = f"{key.text}: an entry that may be left out stands on a line of its own"
            self.report.error(key, "bad-mark", message)
        else:
            self._edit(start, end, "")

    def _is_nothing(self, node: Node) -> bool:
        found = self.values.get(_name(node) or "")
        return found is not None and found.text is None

    def _value(self, node: Node) -> Given | None:
        """What a mark stands for: a parameter, so much added to it (`plus`), taken from it, or it taken `from` that."""
        strange = [key for key, _ in node.entries if key.text not in _KEYS]
        if strange:
            self.report.error(strange[0], "unknown-key", f"{MARK}: unknown key {shown(strange[0].text)}",
                              f"known keys: {listed(_KEYS, 'and')}")  # fmt: skip
            return None
        found = self._named(node, _name(node))
        for key, value in node.entries:
            if found is None or key.text not in _MOVES:
                continue
            found = self._moved(found, key, value)
        return found

    def _moved(self, found: Given, key: Node, value: Node) -> Given | None:
        by = self._value(value) if _is_mark(value) else distance(value.text)
        if by is None and _is_mark(value):
            return None
        alike = by is not None and (found.type == "duration") == (by.type == "duration")
        number = found.type in ("duration", "number", "integer")
        moved = None
        if by is not None and alike and number:
            moved = by.moved(found, -1) if key.text == "from" else found.moved(by, 1 if key.text == "plus" else -1)
        if moved is None:
            message = f"{key.text}: {shown(value.text)} cannot be added to {found.text}, or taken from it"
            self.report.error(key, "bad-mark", message, "durations and numbers can; nothing is less than 0s")
        return moved

    def _named(self, node: Node, name: str | None) -> Given | None:
        if name is None:
            self.report.error(node, "bad-mark", "a parameter is named behind the $: {$: wait}")
            return None
        self.filling.used.add(name)
        if name not in self.values:
            hint = nearest(name, self.values) or "write it down under `parameters`"
            self.report.error(node, "unknown-parameter", f"there is no parameter {shown(name)}", hint)
        return self.values.get(name)

    def _edit(self, start: int, end: int, text: str) -> None:
        edit = Edit(start, end, text)
        if edit not in self.filling.edits:  # an alias is read twice
            self.filling.edits.append(edit)


def _is_mark(node: Node) -> bool:
    return node.kind == "mapping" and any(key.text == MARK for key, _ in node.entries)


def _name(node: Node) -> str | None:
    return next((value.text for key, value in node.entries if key.text == MARK and value.kind == "text"), None)
