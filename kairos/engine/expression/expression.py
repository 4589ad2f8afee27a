"""An expression: parsed once, checked against the names it may use, compiled when first asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

from kairos.engine.expression.check.check import check
from kairos.engine.expression.check.contradiction import contradictions
from kairos.engine.expression.compile import compile_tree, is_boolean
from kairos.engine.expression.explain import Explained, explainer
from kairos.engine.expression.grammar import parse_tree
from kairos.engine.expression.problem import ExpressionError, Problem
from kairos.engine.expression.reads import Reads
from kairos.engine.expression.scope import Names, Scope
from kairos.engine.expression.tree import Node


class Expression:
    """`type` is one of scope.PROP_TYPES, "null" or "any" (also where no names were given to check against)."""

    def __init__(self, text: str, tree: Node, type_: str, warnings: list[Problem]) -> None:
        self.text = text
        self.tree = tree
        self.type = type_
        self.warnings = warnings

    @cached_property
    def reads(self) -> Reads:
        return Reads.of(self.tree)

    def compile(self) -> Callable[[Scope], Any]:
        """A function that gives the value, None for null. It cannot raise."""
        return self._value

    def predicate(self) -> Callable[[Scope], bool]:
        """A function that says whether the value is true: null, 1 and "true" are not."""
        return self._value if is_boolean(self.tree) else self._truth

    def explain(self, scope: Scope) -> list[tuple[str, Any]]:
        """The conditions that the value hangs on and what they compare: (text, value), in order of the text."""
        return self._explain(scope)

    @cached_property
    def _value(self) -> Callable[[Scope], Any]:
        return compile_tree(self.tree)

    @cached_property
    def _truth(self) -> Callable[[Scope], Any]:
        return compile_tree(self.tree, truth=True)

    @cached_property
    def _explain(self) -> Callable[[Scope], Explained]:
        return explainer(self.text, self.tree)


@lru_cache(maxsize=4096)
def _parse_linted(text: str) -> Expression:
    """Kept, for a release is compiled again at every change, and activities share many conditions."""
    return Expression(text, parse_tree(text), "any", [])


@lru_cache(maxsize=256)
def parse_history(text: str) -> Expression:
    """Of a kept crowd that was linted."""
    return Expression(text, parse_tree(text, history=True), "any", [])


def parse(text: str, names: Names | None = None) -> Expression:
    """Raises ExpressionError with every problem. Without `names` only the grammar is checked: for what was linted."""
    if names is None:
        return _parse_linted(text)
    tree = parse_tree(text, history=names.history is not None)
    checked = check(text, tree, names)
    if checked.problems:
        raise ExpressionError(sorted(checked.problems, key=lambda problem: problem.offset))
    warnings = [*checked.warnings, *contradictions(text, tree, checked.types)]
    return Expression(text, tree, checked.type, sorted(warnings, key=lambda warning: warning.offset))
