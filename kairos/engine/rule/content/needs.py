"""What a plain template needs: names that it prints, and asks about. Where they are there, it can be rendered.

Most templates are no more than that, and the gate `content` asks of every message whether it can be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

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
_MOST_VALUE, _MOST_PRINTED, _MOST_TEXT = 1_000, 100, 400_000
"""Characters of a text that is put in, how often something is, and characters of the template's own: so a message stays
within the limit of `MAX_OUTPUT`, also where each character is written as HTML."""


class Needs(NamedTuple):
    """Keys of values, `order_id` and `profile.name`. `there` have a value that is printed as it is, which `may_miss`
    need not have: a `default` stands in."""

    there: frozenset[str]
    may_miss: frozenset[str]

    def are_met(self, values: Mapping[str, Any]) -> bool:
        return all(_is_printable(values.get(name)) for name in self.there) and all(
            values.get(name) is None or _is_printable(values[name]) for name in self.may_miss
        )


def needs_of(parts: Iterable[Iterable[Node]], materials: Mapping[str, Any]) -> Needs | None:
    """Of a template, its headers among its parts; None: only rendering tells. `materials`: as templates read them."""
    look = _Look(materials)
    if not all(look.is_plain(node) for nodes in parts for node in nodes):
        return None
    if look.printed > _MOST_PRINTED or look.characters > _MOST_TEXT:
        return None
    return Needs(frozenset(look.there), frozenset(look.may_miss - look.there))


def speaks(nodes: Iterable[Node]) -> bool:
    """Whether there is text whatever the values are."""
    return any(isinstance(node, ContentNode) and node.text.strip() for node in nodes)


def _is_printable(value: object) -> bool:
    return type(value) in _PLAIN and (not isinstance(value, str) or len(value) <= _MOST_VALUE)


class _Look:
    """Goes through the nodes of a template, and notes what they put in."""

    def __init__(self, materials: Mapping[str, Any]) -> None:
        self._materials = materials
        self.there: set[str] = set()
        self.may_miss: set[str] = set()
        self.printed = self.characters = 0

    def is_plain(self, node: Node) -> bool:
        if isinstance(node, ContentNode):
            self.characters += len(node.text)
            return True
        if isinstance(node, OutputNode):
            self.printed += 1
            return self._is_printed(node.expression)
        if isinstance(node, _CONDITIONAL):
            if not all(map(_is_asked, node.expressions())):
                return False
        elif not isinstance(node, BlockNode):
            return False
        return all(map(self.is_plain, node.children(_NO_CONTEXT, include_partials=False)))

    def _is_printed(self, expression: Expression) -> bool:
        if not isinstance(expression, FilteredExpression) or not isinstance(expression.left, Path):
            return False
        path, filters = expression.left, expression.filters or []
        key = _key(path)
        if key is None:
            return not filters and self._is_put_in(path)
        if not filters:
            self.there.add(key)
            return True
        self.may_miss.add(key)
        stands_in = [each.value for each in filters[0].args] if filters[0].name == "default" else []
        return len(filters) == 1 and len(stands_in) == 1 and isinstance(stands_in[0], StringLiteral)

    def _is_put_in(self, path: Path) -> bool:
        """Whatever is sent: a text of a material, or the link that is made for each message."""
        if path.path[0] != "material":
            return path.path == ["unsubscribe_url"]
        value: Any = self._materials
        for segment in path.path[1:]:
            value = value.get(segment) if isinstance(value, Mapping) else None
        return type(value) is str and len(value) <= _MOST_VALUE


def _is_asked(condition: Expression) -> bool:
    """Whatever the values are, it is answered."""
    if isinstance(condition, _ASKED):
        return all(map(_is_asked, condition.children()))
    return isinstance(condition, _LITERALS) or (isinstance(condition, Path) and _key(condition) is not None)


def _key(path: Path) -> str | None:
    """`order_id`, `profile.name`; None: it goes deeper, or is put in elsewhere."""
    segments = path.path
    if not all(type(segment) is str for segment in segments):
        return None
    root, *inner = map(str, segments)
    if root == "profile":
        return f"{root}.{inner[0]}" if len(inner) == 1 else None
    return root if not inner and root not in ("material", "unsubscribe_url") else None
