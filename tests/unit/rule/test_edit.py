"""Single values of a YAML text are edited, and nothing else of it changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from kairos.engine.rule.text.edit import EditError, find, moved, with_item, with_value
from kairos.engine.rule.text.nodes import Node, read_yaml

TEXT = """\
activity: nudge   # its name
limits:
  once: 4h        # nobody twice
  # caps of all
  caps: [a, b]

# what is said
send:
  - {channel: push, template: t}

  # the fallback
  - channel: sms
    template: t

goal: {event: purchase}
"""


def without(*lines: str) -> str:
    assert all(line in TEXT for line in lines)
    text = TEXT
    for line in lines:
        text = text.replace(line, "", 1)
    return text


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        (lambda: with_value(TEXT, ("limits", "once"), "7d"), TEXT.replace("4h", "7d")),
        (lambda: with_value(TEXT, ("limits", "once"), None), without("  once: 4h        # nobody twice\n")),
        (lambda: with_value(TEXT, ("limits", "caps"), "[b]"), TEXT.replace("[a, b]", "[b]")),
        (lambda: with_value(TEXT, ("limits", "quiet_hours"), "drop"),
         TEXT.replace("[a, b]\n", "[a, b]\n  quiet_hours: drop\n")),
        (lambda: with_value(TEXT, ("audience", "where"), "x > 1"), f"{TEXT}audience: {{where: x > 1}}\n"),
        (lambda: with_value(TEXT, ("goal", "within"), "1d"), TEXT.replace("purchase}", "purchase, within: 1d}")),
        (lambda: with_value(TEXT, ("goal", "event"), None), without("goal: {event: purchase}\n")),
        (lambda: with_value(TEXT, ("send", 1, "channel"), None), without("channel: sms\n    ")),
        (lambda: with_value(TEXT, ("send", 0), None), without("  - {channel: push, template: t}\n")),
        (lambda: with_item(TEXT, ("send",), "{channel: email}"),
         TEXT.replace("    template: t\n", "    template: t\n  - {channel: email}\n")),
        (lambda: with_item(TEXT, ("limits", "caps"), "c"), TEXT.replace("[a, b]", "[a, b, c]")),
        (lambda: with_item(TEXT, ("variants",), "{name: a}"), f"{TEXT}variants: [{{name: a}}]\n"),
    ],
)  # fmt: skip
def test_one_edit_changes_one_thing(edit: Callable[[], str], after: str) -> None:
    assert edit() == after


def test_an_item_that_is_moved_takes_the_comment_above_it_along() -> None:
    after = moved(TEXT, ("send", 0), 1)
    fallback = after.index("# the fallback")
    assert after.index("channel: sms") > fallback
    assert after.index("channel: push") > after.index("channel: sms")
    assert moved(after, ("send", 1), -1) == TEXT


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: &x {b: 1}\nc: *x\n", ("c", "b")),
        ("a: [1, # one\n 2]\n", ("a",)),
        ("a: 1\n", ("a", "b")),
        ("a: [\n", ("a",)),
    ],
)
def test_what_cannot_be_edited_by_pieces_is_refused(text: str, path: tuple[str | int, ...]) -> None:
    with pytest.raises(EditError):
        with_value(text, path, "2")


def test_there_is_nothing_beyond_the_ends_of_a_list() -> None:
    for place, by in ((0, -1), (1, 1)):
        with pytest.raises(EditError):
            moved(TEXT, ("send", place), by)


# ------------------------------------------------------------------------------------------------- whatever is written
NAMES = st.sampled_from("abc")
SCALARS = st.sampled_from(["1", "x", "'q, #'", '"d"', "2h"])


def written(draw: st.DrawFn, indent: int, depth: int) -> str:
    """A mapping in block style, with comments; some of its values in braces."""
    pad, lines = " " * indent, []
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        if draw(st.booleans()):
            lines.append(f"{pad}# over {name}\n")
        kind = draw(st.sampled_from(["scalar", "flow", "list", "mapping"])) if depth else "scalar"
        if kind == "scalar":
            lines.append(f"{pad}{name}: {draw(SCALARS)}{draw(st.sampled_from(['', '  # beside']))}\n")
        elif kind == "flow":
            lines.append(f"{pad}{name}: {{a: {draw(SCALARS)}, b: [{draw(SCALARS)}]}}\n")
        elif kind == "list":
            items = draw(st.lists(SCALARS, min_size=1, max_size=3))
            lines.append(f"{pad}{name}:\n" + "".join(f"{pad}  - {item}\n" for item in items))
        else:
            lines.append(f"{pad}{name}:\n{written(draw, indent + 2, depth - 1)}")
        lines.append(draw(st.sampled_from(["", "\n"])))
    return "".join(lines)


@st.composite
def texts(draw: st.DrawFn) -> str:
    return written(draw, 0, 2)


def comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


def said(node: Node | None) -> object:
    if node is None or node.is_scalar:
        return node and node.text
    return [said(each) for each in node.items] or {key.text: said(value) for key, value in node.entries}


@settings(max_examples=60)
@given(texts(), st.lists(NAMES, min_size=1, max_size=3), SCALARS)
def test_a_value_is_set_where_it_can_be_and_every_comment_stays(text: str, path: list[str], value: str) -> None:
    place = tuple(path)
    try:
        after = with_value(text, place, value)
    except EditError:
        reject()
    assert said(find(read_yaml(after), place)) == said(read_yaml(value))
    assert comments(after) == comments(text)


@settings(max_examples=60)
@given(texts(), st.integers(0, 2))
def test_what_is_removed_takes_nothing_else_with_it(text: str, place: int) -> None:
    before = read_yaml(text)
    assert before is not None
    assume(len(before.entries) > 1)
    name = before.entries[place % len(before.entries)][0].text
    after = with_value(text, (name,), None)
    kept = {key.text: said(value) for key, value in before.entries if key.text != name}
    assert said(read_yaml(after)) == kept
    assert set(after.splitlines()) <= set(text.splitlines())
