"""Names of a plan's texts: where others in the folder have them already, those of the plan get names of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kairos.engine.plan.fill import Edit, edited
from kairos.engine.plan.plan import Made, entry_of
from kairos.engine.rule.text.nodes import Node, read_yaml

_OF = "_of_"


def own_name(text: str, name: str) -> str:
    """`cart_reminder` of the journey `series`: `cart_reminder_of_series`."""
    return f"{text}{_OF}{name}"


def own_names(made: Made, sent: Iterable[str]) -> dict[str, str]:
    """Of the plan's texts those that were given a name of their own. `sent`: what the activity sends."""
    templates = [*sent]
    return {text: one for text in texts_of(made) for one in templates if one.startswith(text + _OF)}


def texts_of(made: Made) -> list[str]:
    """Their names, without channels."""
    entry = entry_of(made.root, "templates")
    return list(dict.fromkeys(key.text.partition(".")[0] for key, _ in entry[1].entries)) if entry else []


def with_texts(made: Made, names: Mapping[str, str]) -> Made:
    """With these texts called otherwise, wherever they are named; everything else stays as it is written."""
    edits = [*_sends(made.root, names), *_heads(made.root, names)]
    if not edits:
        return made
    text = edited(made.text, edits)
    root = read_yaml(text)
    assert root is not None
    return replace(made, text=text, root=root)


def _sends(node: Node, names: Mapping[str, str]) -> Iterator[Edit]:
    for item in node.items:
        yield from _sends(item, names)
    for key, value in node.entries:
        if key.text == "template" and value.text in names:
            yield Edit(value.start, value.end, names[value.text])
        yield from _sends(value, names)


def _heads(root: Node, names: Mapping[str, str]) -> Iterator[Edit]:
    entry = entry_of(root, "templates")
    for key, _ in entry[1].entries if entry else ():
        name, dot, channel = key.text.partition(".")
        if name in names:
            yield Edit(key.start, key.end, f"{names[name]}{dot}{channel}")
