"""Pieces of YAML text, cut out along its nodes, so that comments and spellings stay as somebody wrote them."""

from __future__ import annotations

from collections.abc import Iterator

from kairos.engine.rule.text.nodes import Node, read_yaml


def block_of(text: str, key: Node, node: Node) -> str:
    """What a mapping below a key says, at the left margin, with its comments; of one in braces, its entries."""
    if node.style == "flow":
        return "".join(entry for _, entry in entries_of(text[node.start : node.end]))
    margin, outer = node.column - 1, key.column - 1
    kept: list[str] = []
    whole = 0
    place = text.find("\n", key.end) + 1
    for line in text[place:].splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" "))
        said = line.strip()
        inner = indent >= margin and (margin > outer or said.startswith("-"))
        inner = inner or (place < node.end and not said.startswith("#"))  # braces may go on at any indent
        place += len(line)
        if said and not inner and not said.startswith("#"):
            break
        kept.append(line[min(indent, margin) :] if said else "\n")
        whole = len(kept) if said and inner else whole
    return "".join(kept[:whole])


def entries_of(block: str) -> Iterator[tuple[str, str]]:
    """Name and text of each entry of a mapping: what stands before the next one belongs to it."""
    root = read_yaml(block)
    if root is None:
        return
    if root.style == "flow":
        for key, value in root.entries:
            yield key.text, f"{key.text}: {block[value.start : value.end]}\n"
        return
    lines = block.splitlines(keepends=True)
    starts = [0, *(key.line - 1 for key, _ in root.entries[1:]), len(lines)]
    for number, (key, _) in enumerate(root.entries):
        yield key.text, "".join(lines[starts[number] : starts[number + 1]])


def with_entry(text: str, name: str, entry: str) -> str:
    """A file whose root is a block mapping, with this entry (its text) in place of the one of this name, or behind."""
    found = dict(entries_of(text))
    if name not in found:
        return f"{text.rstrip()}\n{entry}" if text.strip() else entry
    entry += "\n" if found[name].endswith("\n\n") else ""
    found[name] = entry
    return "".join(found.values())
