"""Why an expression came out as it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kairos.engine.expression.compile import compile_tree
from kairos.engine.expression.scope import Scope
from kairos.engine.expression.tree import Choice, ListOf, Literal, Logic, Node, Not, children

Explained = list[tuple[str, Any]]


def explainer(text: str, tree: Node) -> Callable[[Scope], Explained]:
    """The conditions between `and`, `or` and `not`, each followed by the values that it compares."""
    shown: dict[str, Callable[[Scope], Any]] = {}
    for condition in _conditions(tree):
        for node in (condition, *_operands(condition)):
            shown.setdefault(" ".join(text[node.start : node.end].split()), compile_tree(node))

    def explain(scope: Scope) -> Explained:
        return [(said, value(scope)) for said, value in shown.items()]

    return explain


def _conditions(node: Node) -> Iterator[Node]:
    if isinstance(node, Logic | Not | Choice):
        for child in children(node):
            yield from _conditions(child)
    elif not isinstance(node, Literal):
        yield node


def _operands(node: Node) -> Iterator[Node]:
    """What is read or computed below a condition, but for the literals, which speak for themselves."""
    for child in children(node):
        if isinstance(child, ListOf):
            yield from _operands(child)
        elif not isinstance(child, Literal):
            yield child
            yield from _operands(child)
