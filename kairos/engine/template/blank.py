"""`blank` of Liquid: a missing value is, as Shopify and LiquidJS have it, so that `{% if x != blank %}` guards `x`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.expression import Expression

from kairos.engine.template.gaps import is_missing

_NO_CONTEXT: Any = None  # the built-in tags use the context only to find partials, which are parsed on their own


class _Compared(Expression):
    """What stands beside `blank`: an empty text where it is missing."""

    def __init__(self, inner: Expression) -> None:
        super().__init__(token=inner.token)
        self._inner = inner

    def __str__(self) -> str:
        return str(self._inner)

    def evaluate(self, context: RenderContext) -> object:
        value = self._inner.evaluate(context)
        return "" if is_missing(value) else value

    def children(self) -> list[Expression]:
        return [self._inner]


def let_missing_be_blank(nodes: Iterable[Node]) -> None:
    """Changes the comparisons of a parsed template."""
    for node in nodes:
        for expression in node.expressions():
            _change(expression)
        if not isinstance(node, RenderNode | IncludeNode):
            let_missing_be_blank(node.children(_NO_CONTEXT, include_partials=False))


def _change(expression: Expression) -> None:
    if isinstance(expression, EqExpression | NeExpression):
        if isinstance(expression.right, Blank):
            expression.left = _Compared(expression.left)
        elif isinstance(expression.left, Blank):
            expression.right = _Compared(expression.right)
    for child in expression.children():
        _change(child)
