"""A file of a rule folder as a form, from its declaration: what can be said in one line stands in a field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kairos.engine.rule.fields.shape import is_line, options_of, record_of, records_of
from kairos.engine.rule.fields.trigger import TRIGGER_KEYS
from kairos.engine.rule.fields.types import REQUIRED, Field, ListOf, Record, Type
from kairos.engine.rule.text.edit import Path, find
from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml

SHOWN = ("trigger", "audience", "limits", "send", "goal")
"""Parts of a file that are shown although nothing is said of them."""
HIDDEN = ("activity", "journey", "from")
"""The name, that of the file, and what a command notes."""
COMPANIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "trigger": TRIGGER_KEYS,
    "step": {"event": ("event", "as", "where", "times"), "absent": ("absent", "where")},
    "journey step": {
        "send": ("id", "when", "send"),
        "wait": ("wait", "when"),
        "wait_for": ("id", "wait_for", "otherwise"),
        "exit": ("exit", "when"),
    },
}
"""Record -> its kind -> the keys that are shown although they are not written."""
NEW: Mapping[str, Mapping[str, str]] = {
    "step": {"event": "{event: purchase}", "absent": "{absent: purchase, within: 10m}"},
    "send": {"send": "{channel: email}"},
    "journey step": {
        "send": "{id: message, send: [{channel: email}]}",
        "wait": "{wait: 1d}",
        "wait_for": "{wait_for: {event: purchase, within: 1d}, otherwise: []}",
        "choose": "{choose: [{when: profile.level > 1, steps: []}]}",
        "split": "{split: [{name: a, weight: 1, steps: []}, {name: b, weight: 1, steps: []}]}",
        "exit": "{exit: done}",
    },
    "branch": {"branch": "{steps: []}"},
    "arm": {"arm": "{name: c, weight: 1, steps: []}"},
}
"""Record of a list -> kind -> a new one, in YAML. Lint says what is still to be written."""

_SEPARATOR = "."


@dataclass(frozen=True)
class Input:
    """One field in one line. `value` None: it is written in several, and is edited in the text. `options`: of which it
    is one. `one_of`: names to choose from, while others may be written."""

    path: str
    name: str
    doc: str
    value: str | None
    options: tuple[str, ...] = ()
    one_of: str = ""
    required: bool = False
    default: str = ""


@dataclass
class Group:
    """A mapping, or a list of them (`items`, `new`: kinds of items). `line` 0: it is not written."""

    path: str
    name: str
    doc: str
    line: int
    inputs: list[Input] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    items: list[Group] = field(default_factory=list)
    new: tuple[str, ...] = ()


def form_of(text: str, type_: Type) -> Group | None:
    """None: the text is no YAML now, or the file is no record."""
    try:
        root = read_yaml(text)
    except YamlError:
        return None
    record = record_of(type_)
    return _group((), "", record, root, SHOWN) if record is not None else None


def path_of(text: str) -> Path:
    """`send.0.channel`, as an Input says it."""
    return tuple(int(part) if part.isdecimal() else part for part in text.split(_SEPARATOR))


def _group(path: Path, name: str, record: Record, node: Node | None, always: Iterable[str] = ()) -> Group:
    group = Group(_spelt(path), name, record.doc, node.line if node is not None else 0)
    written = {key.text for key, _ in node.entries} if node is not None else set()
    for each in record.fields:
        if each.name not in HIDDEN and _shown(each, record, written, always):
            _add(group, (*path, each.name), each, find(node, (each.name,)))
    return group


def _shown(each: Field, record: Record, written: set[str], always: Iterable[str]) -> bool:
    if each.name in written or each.name in always:
        return True
    if record.choose:
        kinds = record.kinds(written)
        return any(each.name in COMPANIONS.get(record.name, {}).get(kind, ()) for kind in kinds)
    return is_line(each.type)


def _add(group: Group, path: Path, each: Field, node: Node | None) -> None:
    listed, record = records_of(each.type), record_of(each.type)
    written_in_one = node is None or node.is_scalar or _scalars(node)
    if is_line(each.type) and (written_in_one or (listed is None and record is None)):
        group.inputs.append(_input(path, each, node))
    elif listed is not None and (node is None or node.kind in ("list", "null")):
        group.groups.append(_items(path, each, listed, node))
    elif record is not None and (node is None or node.kind in ("mapping", "null")):
        group.groups.append(_group(path, each.name, record, node))
    elif node is not None:
        group.inputs.append(Input(_spelt(path), each.name, each.doc, None))


def _items(path: Path, each: Field, listed: ListOf, node: Node | None) -> Group:
    record = record_of(listed.item)
    assert record is not None
    group = Group(_spelt(path), each.name, each.doc, node.line if node is not None else 0)
    group.new = tuple(NEW.get(record.name, ()))
    for place, item in enumerate(node.items if node is not None else ()):
        kinds = record.kinds(key.text for key, _ in item.entries)
        name = kinds[0] if kinds else record.name
        group.items.append(_group((*path, place), name, record, item))
    return group


def _input(path: Path, each: Field, node: Node | None) -> Input:
    options = options_of(each.type)
    default = each.shown_default or ("" if each.default in (None, REQUIRED, ()) else str(each.default))
    if isinstance(each.default, bool):
        default = str(each.default).lower()
    return Input(_spelt(path), each.name, each.doc, _told(node), options, each.name, each.default is REQUIRED, default)


def _told(node: Node | None) -> str | None:
    if node is None or node.kind == "null":
        return ""
    if node.is_scalar:
        return None if "\n" in node.text else node.text
    return ", ".join(item.text for item in node.items) if _scalars(node) else None


def _scalars(node: Node) -> bool:
    return node.kind == "list" and all(item.is_scalar and "," not in item.text for item in node.items)


def _spelt(path: Path) -> str:
    return _SEPARATOR.join(map(str, path))
