"""Conditions that cannot be true, or cannot be false, whatever the event: they are probably not meant.

Where conditions speak about one value and compare it with literals, the literals cut all values into finitely many
regions, within which the conditions cannot tell one value from another. So a value of each region is tried. What
speaks about several values, or calls functions on them, is left alone (a call counts as one unknown value).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from kairos.engine.expression.check.kinds import KINDS
from kairos.engine.expression.compile import compile_tree
from kairos.engine.expression.problem import Problem
from kairos.engine.expression.scope import Facts
from kairos.engine.expression.tree import (
    Call,
    Choice,
    Comparison,
    ListOf,
    Literal,
    Logic,
    Node,
    Not,
    Prop,
    StepCount,
    children,
)

_MOST_CANDIDATES = 2_000
_DOMAINS = {"hour": range(24), "weekday": range(7)}
_UNKNOWN = Prop(0, 0, "unknown")  # stands for the value in question


def contradictions(text: str, tree: Node, types: Mapping[Node, str]) -> list[Problem]:
    """Warnings; `types` has the type of every node."""
    finder = _Finder(text, types)
    finder.visit(tree)
    return sorted(finder.warnings, key=lambda warning: warning.offset)


class _Finder:
    def __init__(self, text: str, types: Mapping[Node, str]) -> None:
        self.warnings: list[Problem] = []
        self._text = text
        self._types = types

    def visit(self, node: Node) -> bool:
        """Whether there was something to warn of, here or below: what follows from it is not said again."""
        match node:
            case Logic(operator=operator):
                parts = list(_flat(node, operator))
                sound = [part for part in parts if not self.visit(part)]
                return len(sound) < len(parts) or self._together(operator, sound)
            case Not() | Choice():
                found = [self.visit(child) for child in children(node)]
                return any(found)
            case Comparison():
                return self._alone(node)
        return False

    def _alone(self, node: Comparison) -> bool:
        operands = (node.first, *(operand for _, operand in node.rest))
        if any(isinstance(operand, Literal) and operand.value is None for operand in operands):
            return self._warn(node, "never-true", "is never true: a comparison with null is false", "ask exists(..)")
        results = self._results([node], "and")
        if results == {False}:
            return self._warn(node, "never-true", "is never true")
        return results == {True} and self._warn(node, "always-true", "is always true")

    def _together(self, operator: str, parts: list[Node]) -> bool:
        """Parts of one `and` or `or` that speak about the same value."""
        groups: dict[Node, list[Node]] = {}
        for part in parts:
            values = _values(part)
            if values is not None and len(values) == 1:
                groups.setdefault(values.pop(), []).append(part)
        found = False
        for group in groups.values():
            results = self._results(group, operator) if len(group) > 1 else set()
            if operator == "and" and results == {False}:
                others = ", ".join(self._quote(part) for part in group[:-1])
                found = self._warn(group[-1], "never-true", f"contradicts {others}: together they are never true")
            elif operator == "or" and results == {True}:
                others = ", ".join(self._quote(part) for part in group[:-1])
                found = self._warn(group[-1], "always-true", f"or {others}: one of them is always true")
        return found

    def _results(self, parts: list[Node], operator: str) -> set[bool]:
        """What the parts together can come out as; nothing where that cannot be told."""
        values: set[Node] = set()
        for part in parts:
            found = _values(part)
            if found is None:
                return set()
            values |= found
        if len(values) > 1:
            return set()
        joined = parts[0] if len(parts) == 1 else Logic(0, 0, "and" if operator == "and" else "or", tuple(parts))
        if not values:
            return {compile_tree(joined, truth=True)(Facts())}
        (value,) = values
        candidates = list(_candidates(value, self._types.get(value, "any"), _literals(joined)))
        if len(candidates) > _MOST_CANDIDATES:
            return set()
        ask = compile_tree(_substitute(joined, value), truth=True)
        return {_ask(ask, candidate) for candidate in candidates}

    def _quote(self, node: Node) -> str:
        return f"'{' '.join(self._text[node.start : node.end].split())[:60]}'"

    def _warn(self, node: Node, code: str, message: str, hint: str | None = None) -> bool:
        self.warnings.append(Problem(node.start, code, f"{self._quote(node)} {message}", hint))
        return True


def _ask(ask: Any, candidate: Any) -> bool:
    return bool(ask(Facts({_UNKNOWN.name: candidate})))


def _flat(node: Node, operator: str) -> Iterator[Node]:
    if isinstance(node, Logic) and node.operator == operator:
        for operand in node.operands:
            yield from _flat(operand, operator)
    else:
        yield node


def _is_structure(node: Node) -> bool:
    return isinstance(node, Comparison | Logic | Not) or (isinstance(node, Call) and node.function == "exists")


def _values(node: Node) -> set[Node] | None:
    """What the condition depends on, or None where trying values would not be exact."""
    if isinstance(node, Literal):
        return set()
    if isinstance(node, ListOf):
        return set() if all(isinstance(item, Literal) for item in node.items) else None
    if not _is_structure(node):
        return {node}
    if isinstance(node, Comparison) and any(
        sign in ("in", "not in") and not isinstance(operand, ListOf) for sign, operand in node.rest
    ):
        return None
    values: set[Node] = set()
    for child in children(node):
        found = _values(child)
        if found is None:
            return None
        values |= found
    return values


def _substitute(node: Node, value: Node) -> Node:
    if node == value:
        return _UNKNOWN
    match node:
        case Comparison(first=first, rest=rest):
            replaced = tuple((sign, _substitute(operand, value)) for sign, operand in rest)
            return replace(node, first=_substitute(first, value), rest=replaced)
        case Logic(operands=operands):
            return replace(node, operands=tuple(_substitute(operand, value) for operand in operands))
        case Not(operand=operand):
            return replace(node, operand=_substitute(operand, value))
        case Call(function="exists", arguments=(argument,)):
            return replace(node, arguments=(_substitute(argument, value),))
    return node


def _literals(node: Node) -> list[Any]:
    """Those that the value is compared with, lists as a whole and their items too."""
    found: list[Any] = []
    for child in (node, *children(node)):
        if isinstance(child, Literal):
            found.append(child.value)
        elif isinstance(child, ListOf):
            found.append([item.value for item in child.items if isinstance(item, Literal)])
        if child is not node:
            found += _literals(child)
    return found


def _candidates(value: Node, type_: str, literals: list[Any]) -> Iterator[Any]:
    """One value for each region that the literals make, of the kinds that the type allows; and null."""
    yield None
    kinds = KINDS[type_]
    if "number" in kinds:
        yield from _numbers(value, type_, (x for x in literals if type(x) is int or type(x) is float))
    if "text" in kinds:
        texts = [x for x in literals if isinstance(x, str)]
        yield from ("", *texts, *(text + "\0" for text in texts))
    if "boolean" in kinds:
        yield from (True, False)
    if "list" in kinds:
        yield from ([], ["some"], *(x for x in literals if isinstance(x, list)))
    if "object" in kinds:
        yield {}


def _numbers(value: Node, type_: str, literals: Iterable[int | float]) -> Iterator[int | float]:
    if isinstance(value, Call) and value.function in _DOMAINS:
        yield from _DOMAINS[value.function]
        return
    never_negative = isinstance(value, StepCount) or (isinstance(value, Call) and value.function == "len")
    cuts = sorted({0, *literals})
    near = {cut + step for cut in cuts for step in (-1, 0, 1)}
    if type_ == "integer":
        near = {int(number) for number in near}
    else:
        near |= {low / 2 + high / 2 for low, high in pairwise(cuts)}
    yield from (number for number in near if number >= 0 or not never_negative)
