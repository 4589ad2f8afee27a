"""The examples of a plan, made to hold in the folder that they go into: whoever the users are called there, and
whatever its sources ask of an event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kairos.engine.decision import share_of
from kairos.engine.plan.fill import Edit, edited
from kairos.engine.rule.fields.examples import EVENT
from kairos.engine.rule.form.sketch import required_props
from kairos.engine.rule.model import Source
from kairos.engine.rule.text.nodes import Node, read_yaml

MOST_NAMES = 1_000
_OF_EVENT = {field.name for field in EVENT.fields}


def examples(block: str, activity: str, control: float, sources: Mapping[str, Source]) -> str:
    """`block`: a file of examples. `control`: the share of the activity's control group."""
    root = read_yaml(block)
    return edited(block, [*_treated(root, activity, control), *_completed(root, sources)]) if root else block


def _treated(root: Node, activity: str, control: float) -> Iterator[Edit]:
    """Examples are of people outside the control group: who would be in it, by this name, is called otherwise."""
    for node in _users(root):
        names = (node.text, *(f"{node.text}_{number}" for number in range(1, MOST_NAMES)))
        name = next((name for name in names if share_of(name, activity) >= control), node.text)
        if name != node.text:
            yield Edit(node.start, node.end, name)


def _users(node: Node) -> Iterator[Node]:
    """The user ids: keys of `profiles` and `metrics`, values of `user_id`."""
    for item in node.items:
        yield from _users(item)
    for key, value in node.entries:
        if key.text == "user_id":
            yield value
        elif key.text in ("profiles", "metrics"):
            yield from (user for user, _ in value.entries)
        else:
            yield from _users(value)


def _completed(root: Node, sources: Mapping[str, Source]) -> Iterator[Edit]:
    """Props that the sources require of an event, and that the plan knows nothing of."""
    for type_, props in _events(root):
        given = {key.text for key, _ in props.entries}
        more = [f", {name}: {value}" for name, value in required_props(type_, sources).items() if name not in given]
        if more and props.style == "flow":
            yield Edit(props.end - 1, props.end - 1, "".join(more))


def _events(node: Node) -> Iterator[tuple[str, Node]]:
    for item in node.items:
        yield from _events(item)
    for key, value in node.entries:
        if key.text != "events":
            yield from _events(value)
            continue
        for event in value.items:
            yield from ((of.text, props) for of, props in event.entries if of.text not in _OF_EVENT)
