"""YAML 1.2 (core schema) as located nodes.

libyaml's events are composed here rather than by a YAML library's own composer, because a rule file may be hostile:
depth and size are bounded while reading, tags and merge keys never reach a constructor, and an alias costs what it
stands for. Positions count characters, from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from kairos.engine.rule.text.line_mistakes import line_mistake

MAX_DEPTH = 50
MAX_NODES = 10_000

Kind = Literal["text", "integer", "float", "boolean", "null", "list", "mapping"]
KINDS: dict[str, str] = {
    "text": "text",
    "integer": "a number",
    "float": "a number",
    "boolean": "true or false",
    "null": "nothing",
    "list": "a list",
    "mapping": "a mapping",
}

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 40
_ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class YamlError(Exception):
    """The file cannot be read as YAML; nothing more can be said about it."""

    def __init__(self, line: int, column: int, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.line, self.column, self.code, self.message, self.hint = line, column, code, message, hint


@dataclass(eq=False, slots=True)
class Node:
    """One node. `text` is a scalar's characters (unquoted, unfolded); `value` is what the core schema makes of them.

    `style`: "" plain, "'", '"', "|" or ">" of a scalar, "flow" or "block" of a collection. `start` and `end` are
    character offsets into the file. `size` and `height` count the node itself and everything below, aliases resolved.
    """

    kind: Kind
    line: int
    column: int
    start: int
    end: int
    style: str
    text: str = ""
    value: Any = None
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Node, Node]] = field(default_factory=list)
    size: int = 1
    height: int = 1

    @property
    def is_scalar(self) -> bool:
        return self.kind not in ("list", "mapping")


def read_yaml(text: str) -> Node | None:
    """The only document of a file, None if it is empty. Raises YamlError at the first thing that is not allowed."""
    loader = yaml.CLoader(text)
    try:
        return _Composer(loader).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except yaml.reader.ReaderError as error:
        raise YamlError(1, 1, "yaml-syntax", f"not YAML: {error.reason}") from None
    finally:
        loader.dispose()


class _Composer:
    def __init__(self, parser: Any) -> None:
        self.parser = parser
        self.anchors: dict[str, Node | None] = {}
        self.count = 0

    def document(self) -> Node | None:
        self.parser.get_event()
        event = self.parser.get_event()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        root = self.node(self.parser.get_event(), 1)
        self.parser.get_event()
        event = self.parser.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            raise _error(
                event, "yaml-documents", "a second document starts here: a rule file is one document", "split it"
            )
        return None if root.kind == "null" and root.text == "" else root

    def node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        if event.tag is not None:
            raise _error(
                event, "yaml-tag", f"the tag {_tag(event.tag)} is not allowed: values have no tags in a rule file"
            )
        if depth > MAX_DEPTH:
            raise _error(event, "yaml-depth", f"nested deeper than {MAX_DEPTH} levels")
        self.charge(event, 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node = _scalar(event) if isinstance(event, yaml.ScalarEvent) else self.collection(event, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def collection(self, event: Any, depth: int) -> Node:
        kind: Kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
        node = _located(event, kind, "flow" if event.flow_style else "block")
        while type(event := self.parser.get_event()) not in _ENDS:
            child = self.node(event, depth + 1)
            if kind == "list":
                self.adopt(node, child)
                node.items.append(child)
            else:
                value = self.node(self.parser.get_event(), depth + 1)
                self.adopt(node, child, value)
                node.entries.append((_key(child), value))
        node.end = event.end_mark.index
        return node

    @staticmethod
    def adopt(node: Node, *children: Node) -> None:
        for child in children:
            node.size += child.size
            node.height = max(node.height, child.height + 1)

    def alias(self, event: Any, depth: int) -> Node:
        if event.anchor not in self.anchors:
            raise _error(event, "yaml-alias", f"the alias *{event.anchor} has no anchor before it")
        node = self.anchors[event.anchor]
        if node is None:
            raise _error(
                event, "yaml-alias", f"the alias *{event.anchor} stands inside its own anchor: it would contain itself"
            )
        if depth + node.height - 1 > MAX_DEPTH:
            raise _error(
                event, "yaml-depth", f"nested deeper than {MAX_DEPTH} levels once *{event.anchor} is filled in"
            )
        self.charge(event, node.size)
        return node

    def charge(self, event: Any, nodes: int) -> None:
        self.count += nodes
        if self.count > MAX_NODES:
            raise _error(event, "yaml-size", f"more than {MAX_NODES:,} values in one file, aliases filled in")


def _located(event: Any, kind: Kind, style: str) -> Node:
    start, end = event.start_mark, event.end_mark
    return Node(kind, start.line + 1, start.column + 1, start.index, end.index, style)


def _scalar(event: Any) -> Node:
    node = _located(event, "text", event.style or "")
    node.text = node.value = event.value
    if node.style:
        return node
    if event.value in _WORDS:
        node.value = _WORDS[event.value]
        node.kind = "null" if node.value is None else "boolean"
    elif _INTEGER.fullmatch(event.value):
        node.kind, node.value = "integer", _integer(event.value)
    elif _FLOAT.fullmatch(event.value):
        node.kind, node.value = "float", float(event.value.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return node


def _integer(text: str) -> int | float:
    """A number of absurdly many digits becomes infinity: beyond every range, and cheap."""
    if len(text) > _LONGEST_NUMBER:
        return float("-inf") if text.startswith("-") else float("inf")
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _key(node: Node) -> Node:
    if not node.is_scalar:
        hint = "braces twice are for templates: write the name alone" if node.kind == "mapping" else None
        raise YamlError(node.line, node.column, "yaml-key", f"a key is text, not {KINDS[node.kind]}", hint)
    if node.text == "<<" and not node.style:
        raise YamlError(node.line, node.column, "yaml-merge", "the merge key << is not allowed", "write the keys out")
    return node


def _error(event: Any, code: str, message: str, hint: str | None = None) -> YamlError:
    return YamlError(event.start_mark.line + 1, event.start_mark.column + 1, code, message, hint)


def _tag(tag: str) -> str:
    name = tag.replace("tag:yaml.org,2002:", "!!", 1) if tag.startswith("tag:yaml.org,2002:") else tag
    return name[:60]


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    mark = error.problem_mark or error.context_mark
    if "end of stream" in (error.problem or "") and error.context_mark:
        mark = error.context_mark  # where it begins says more than where the file ends
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem, context = error.problem or "not readable", error.context or ""
    where = f" {context}" if context else ""
    if error.context_mark and mark and error.context_mark.line != mark.line:
        where += f" that starts on line {error.context_mark.line + 1}"
    hint = _syntax_hint(problem, context)
    begun = error.context_mark.line + 1 if error.context_mark and "simple key" in context else line
    if found := line_mistake(text, (begun, line, line - 1)):
        line, column, hint = found
    return YamlError(line, column, "yaml-syntax", f"not valid YAML{where}: {problem}", hint)


def _syntax_hint(problem: str, context: str) -> str | None:
    if "flow" in context:
        return "inside braces, an expression with a comma, bracket, brace or quote is quoted as a whole: '...'"
    if "expected key" in problem or "block end" in problem:
        return (
            "check the indentation; what starts with a quote or bracket and goes on is quoted as a whole: '\"a\" == b'"
        )
    if "block sequence entries" in problem:
        return "a list begins on the next line, each entry with a dash; a single value has none"
    if "mapping values" in problem:
        return "text with a colon and a space is quoted as a whole; check the indentation, too"
    if any(word in context for word in ("alias", "anchor", "block scalar")):
        return "text that starts with *, &, > or | is quoted"
    if "quoted scalar" in context:
        return "the closing quote is missing"
    if "expected '-'" in problem:
        return "the keys of one entry stand below each other: check the indentation"
    if "cannot start any token" in problem:
        return "indent with spaces; text that starts with @, %, ` or a tab is quoted"
    return None
