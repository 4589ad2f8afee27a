"""What a plain template needs: names that it prints, and asks about. Where they are there, it can be rendered.

Most templates are no more than that, and the gate `content` asks of every message whether it can be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.logical import (
    BooleanExpression,
    EqExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import FalseLiteral, IntegerLiteral, Nil, StringLiteral, TrueLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

_LITERALS = (StringLiteral, IntegerLiteral, TrueLiteral, FalseLiteral, Nil)
_ASKED = (BooleanExpression, LogicalAndExpression, LogicalOrExpression, EqExpression, NeExpression)
_CONDITIONAL = (IfNode, UnlessNode, ConditionalBlockNode)
_NO_CONTEXT: Any = None  # the tags that are gone into here have no partials
_PLAIN = frozenset({str, int, float, bool})
_MOST_CHARACTERS = 10_000
"""Of a text that is put in: however often a template prints it, the message stays within its limit."""
_MOST_NODES = 50


def needed(nodes: Iterable[Node], materials: Mapping[str, Any]) -> frozenset[str] | None:
    """Keys of values, `order_id`, `profile.name`; None: only rendering tells. `materials`: as templates read them."""
    found: set[str] = set()
    return frozenset(found) if _is_plain([*nodes], materials, found) else None


def speaks(nodes: Iterable[Node]) -> bool:
    """Whether there is text whatever the values are."""
    return any(isinstance(node, ContentNode) and node.text.strip() for node in nodes)


def are_there(names: Iterable[str], values: Mapping[str, Any]) -> bool:
    """Whether each has a value that is printed as it is."""
    for name in names:
        value = values.get(name)
        if type(value) not in _PLAIN or (type(value) is str and len(value) > _MOST_CHARACTERS):
            return False
    return True


def _is_plain(nodes: list[Node], materials: Mapping[str, Any], found: set[str]) -> bool:
    return len(nodes) <= _MOST_NODES and all(_is_plain_node(node, materials, found) for node in nodes)


def _is_plain_node(node: Node, materials: Mapping[str, Any], found: set[str]) -> bool:
    if isinstance(node, ContentNode):
        return True
    if isinstance(node, OutputNode):
        return _is_printed(node.expression, materials, found)
    if isinstance(node, _CONDITIONAL):
        if not all(map(_is_asked, node.expressions())):
            return False
    elif not isinstance(node, BlockNode):
        return False
    return _is_plain([*node.children(_NO_CONTEXT, include_partials=False)], materials, found)


def _is_asked(condition: Expression) -> bool:
    """Whatever the values are, it is answered."""
    if isinstance(condition, _ASKED):
        return all(map(_is_asked, condition.children()))
    return isinstance(condition, _LITERALS) or (isinstance(condition, Path) and _key(condition) is not None)


def _is_printed(expression: Expression, materials: Mapping[str, Any], found: set[str]) -> bool:
    if not isinstance(expression, FilteredExpression):
        return False
    left, filters = expression.left, expression.filters or []
    key = _key(left) if isinstance(left, Path) else None
    if key is None:
        return isinstance(left, Path) and not filters and _is_put_in(left, materials)
    if not filters:
        found.add(key)
        return True
    only = filters[0]
    stands_in = [each.value for each in only.args] if only.name == "default" else []
    return len(filters) == 1 and len(stands_in) == 1 and isinstance(stands_in[0], StringLiteral)


def _key(path: Path) -> str | None:
    """`order_id`, `profile.name`; None: it goes deeper, or is put in elsewhere."""
    segments = path.path
    if not all(type(segment) is str for segment in segments):
        return None
    root, *inner = map(str, segments)
    if root == "profile":
        return f"{root}.{inner[0]}" if len(inner) == 1 else None
    return root if not inner and root not in ("material", "unsubscribe_url") else None


def _is_put_in(path: Path, materials: Mapping[str, Any]) -> bool:
    """Whatever is sent: a text of a material, or the link that is made for each message."""
    if path.path[0] != "material":
        return path.path == ["unsubscribe_url"]
    value: Any = materials
    for segment in path.path[1:]:
        value = value.get(segment) if isinstance(value, Mapping) else None
    return type(value) is str
