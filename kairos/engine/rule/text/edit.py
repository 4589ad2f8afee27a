"""Single values of a YAML text set, removed, moved: everything else stays as somebody wrote it, comments too.

Every edit is read back: what comes out means what was asked for and nothing else, or the edit is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml

Path = tuple[str | int, ...]
"""Keys, and places in lists from 0."""


class EditError(Exception):
    """The text is written in a way that cannot be edited by pieces. The message says why."""


def with_value(text: str, path: Path, value: str | None) -> str:
    """With this value, in YAML, at the path; mappings on the way are made. None: without it, and without the mappings
    that it leaves empty. Raises EditError."""
    meant = None if value is None else _meaning(_root(value))

    def wanted(plain: Any) -> Any:
        return _without(plain, path) if value is None else _set(plain, path, meant)

    return _checked(
        text, wanted, lambda root: _removed(text, root, path) if value is None else _put(text, root, path, value)
    )


def with_item(text: str, path: Path, item: str) -> str:
    """With this item, in YAML, at the end of the list at the path. Raises EditError."""
    there = find(_root(text), path)
    if there is None or there.kind == "null":
        return with_value(text, path, f"[{item}]")
    meant = _meaning(_root(item))

    def wanted(plain: Any) -> Any:
        _at(plain, path).append(meant)
        return plain

    return _checked(text, wanted, lambda _root: _appended(text, there, item))


def moved(text: str, path: Path, by: int) -> str:
    """The item of a list at the path and its neighbour, `by` 1 after or -1 before it, change places. Raises
    EditError."""
    *way, first = path
    if not isinstance(first, int):
        raise EditError("only what stands in a list can be moved")
    one, other = sorted((first, first + by))

    def wanted(plain: Any) -> Any:
        items = _at(plain, tuple(way))
        items[one], items[other] = items[other], items[one]
        return plain

    def edit(root: Node | None) -> str:
        there = find(root, tuple(way))
        if there is None or one < 0 or other >= len(there.items):
            raise EditError("there is nothing to change places with")
        (a, b), (c, d) = (_span(text, there, there.items[n]) for n in (one, other))
        return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]

    return _checked(text, wanted, edit)


def find(root: Node | None, path: Path) -> Node | None:
    """The node at the path; None: there is none."""
    at = root
    for step in path:
        if at is None:
            return None
        if isinstance(step, int):
            at = at.items[step] if step < len(at.items) else None
        else:
            at = next((value for key, value in at.entries if key.text == step), None)
    return at


def _checked(text: str, wanted: Callable[[Any], Any], edit: Callable[[Node | None], str]) -> str:
    root = _root(text)
    try:
        meant = wanted(_meaning(root))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise EditError("there is nothing like that in the text") from None
    changed = edit(root)
    try:
        came = _meaning(read_yaml(changed))
    except YamlError:
        came = changed
    if came != meant:
        raise EditError("it is written in a way that only the text itself can change")
    return changed


def _root(text: str) -> Node | None:
    try:
        return read_yaml(text)
    except YamlError as error:
        raise EditError(f"the text is no YAML: line {error.line}: {error.message}") from None


# ----------------------------------------------------------------------------------------------------------- putting
def _put(text: str, root: Node | None, path: Path, value: str) -> str:
    if root is None:
        return f"{text.rstrip()}\n{_nested(path, value)}\n".lstrip("\n")
    there = find(root, path)
    if there is not None:
        return _replaced(text, there, value)
    parent, key = find(root, path[:-1]), path[-1]
    if parent is None or parent.kind == "null":
        return _put(text, root, path[:-1], f"{{{key}: {value}}}")
    if parent.kind != "mapping":
        raise EditError("there is no mapping in which it could stand")
    return _grown(text, parent, f"{key}: {value}")


def _nested(path: Path, value: str) -> str:
    for key in reversed(path[1:]):
        value = f"{{{key}: {value}}}"
    return f"{path[0]}: {value}"


def _replaced(text: str, there: Node, value: str) -> str:
    start, end = there.start, _end(text, there)
    if not there.is_scalar and "#" in text[start:end]:
        raise EditError("there are comments inside")
    if there.style == "block":
        start = len(text[:start].rstrip())
    return f"{text[:start]}{' ' if text[start - 1 : start] in (':', '-') else ''}{value}{text[end:]}"


def _appended(text: str, there: Node, item: str) -> str:
    if there.kind != "list":
        raise EditError("it is no list")
    return _grown(text, there, item if there.style == "flow" else f"- {item}")


def _grown(text: str, there: Node, part: str) -> str:
    """With one more part at the end of the collection: in a line of its own, unless it is a flow collection."""
    if there.style != "flow":
        place = _line_end(text, _end(text, there))
        return f"{text[:place].rstrip(' ')}\n{' ' * (there.column - 1)}{part}{text[place:]}"
    last = _last(there)
    if last is None:
        return f"{text[: there.start + 1]}{part}{text[there.start + 1 :]}"
    place = _end(text, last)
    return f"{text[:place]}, {part}{text[place:]}"


# ---------------------------------------------------------------------------------------------------------- removing
def _removed(text: str, root: Node | None, path: Path) -> str:
    parent = find(root, path[:-1])
    there = find(root, path)
    if parent is None or there is None:
        raise EditError("there is nothing like that in the text")
    if parent.kind == "mapping" and len(parent.entries) == 1 and len(path) > 1 and isinstance(path[-2], str):
        return _removed(text, root, path[:-1])
    start, end = _span(text, parent, there)
    if parent.style == "flow":
        return _cut(text, parent, start, end)
    if text[text.rfind("\n", 0, start) + 1 : start].strip():  # behind the dash of its list's item
        following = _following(parent, there)
        if following is None or "#" in text[end:following]:
            raise EditError("it is written in a way that only the text itself can change")
        return text[:start] + text[following:]
    end = _line_end(text, end)
    return text[:start] + text[min(end + 1, len(text)) :]


def _following(parent: Node, there: Node) -> int | None:
    """Where the entry after this one starts."""
    starts = [key.start for key, _ in parent.entries if key.start > there.start]
    return min(starts, default=None)


def _cut(text: str, parent: Node, start: int, end: int) -> str:
    """One part of a flow collection, with the comma that it no longer needs."""
    before, after = text[:start].rstrip(), text[end:]
    if before.endswith(","):
        return before[:-1] + after
    rest = after.lstrip()
    return text[:start] + (rest[1:].lstrip() if rest.startswith(",") else rest)


# ------------------------------------------------------------------------------------------------------------ places
def _span(text: str, parent: Node, there: Node) -> tuple[int, int]:
    """Where a part of a collection begins and ends: of a block with its dash or key, and the comments right above."""
    if there.start < parent.start:
        raise EditError("it is an alias")
    start = there.start
    if parent.kind == "mapping":
        start = next(key.start for key, value in parent.entries if value is there)
    if parent.style == "flow":
        return start, _end(text, there)
    if parent.kind == "list":
        start = text.rfind("\n", 0, start) + 1
        while (above := text.rfind("\n", 0, start - 1) + 1) < start and _is_comment(text[above:start], parent.column):
            start = above
    elif not text[text.rfind("\n", 0, start) + 1 : start].strip():
        start = text.rfind("\n", 0, start) + 1
    return start, _line_end(text, _end(text, there)) if parent.kind == "list" else _end(text, there)


def _is_comment(line: str, column: int) -> bool:
    return line.lstrip(" ").startswith("#") and len(line) - len(line.lstrip(" ")) == column - 1


def _end(text: str, node: Node) -> int:
    """Behind the last character of what it says; a block's own end is behind the comments that follow it."""
    last = _last(node)
    if node.style == "block" and last is not None:
        if last.start < node.start:
            raise EditError("it ends in an alias")
        return _end(text, last)
    return len(text[: node.end].rstrip()) if node.style in ("|", ">") else node.end


def _last(node: Node) -> Node | None:
    """The last item, or the value of the last entry; None: it has none."""
    return node.entries[-1][1] if node.entries else node.items[-1] if node.items else None


def _line_end(text: str, place: int) -> int:
    found = text.find("\n", place)
    return len(text) if found < 0 else found


# ----------------------------------------------------------------------------------------------------------- meaning
def _meaning(node: Node | None) -> Any:
    if node is None or node.kind == "null":
        return None
    if node.kind == "list":
        return [_meaning(item) for item in node.items]
    if node.kind == "mapping":
        return {key.text: _meaning(value) for key, value in node.entries}
    return node.kind, node.value


def _at(plain: Any, path: Path) -> Any:
    for step in path:
        plain = plain[step]
    return plain


def _set(plain: Any, path: Path, value: Any) -> Any:
    plain = {} if plain is None else plain
    inner = plain.get(path[0]) if isinstance(path[0], str) else plain[path[0]]
    plain[path[0]] = value if len(path) == 1 else _set(inner, path[1:], value)
    return plain


def _without(plain: Any, path: Path) -> Any:
    holder = _at(plain, path[:-1])
    del holder[path[-1]]
    if not holder and isinstance(holder, dict) and len(path) > 1 and isinstance(path[-2], str):
        return _without(plain, path[:-1])
    return plain
