"""Names and types of an expression: what would silently be null or false in every case is an error here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kairos.engine.event import OWN
from kairos.engine.expression.check.kinds import KINDS, common, other_type_hint, said, type_of_value
from kairos.engine.expression.check.names import NameTypes
from kairos.engine.expression.check.notes import Notes
from kairos.engine.expression.functions import FUNCTIONS
from kairos.engine.expression.history import NUMBERS_ONLY
from kairos.engine.expression.problem import Problem, did_you_mean
from kairos.engine.expression.scope import Names
from kairos.engine.expression.tree import (
    Arithmetic,
    Call,
    Choice,
    Comparison,
    History,
    ListOf,
    Literal,
    Logic,
    Node,
    Not,
    Sign,
)

_ORDERED = frozenset({"number", "text"})


@dataclass(frozen=True)
class Checked:
    """The expression's type, the types of everything in it, what is wrong with it, and what is probably not meant."""

    type: str
    types: Mapping[Node, str]
    problems: list[Problem]
    warnings: list[Problem]


def check(text: str, tree: Node, names: Names) -> Checked:
    checker = _Checker(text, names, tree)
    return Checked(checker.type_of(tree), checker.types, checker.notes.problems, checker.notes.warnings)


class _Checker:
    def __init__(self, text: str, names: Names, whole: Node | None = None) -> None:
        self.notes = Notes(text)
        self._problem, self._quote = self.notes.problem, self.notes.quote
        self.types: dict[Node, str] = {}
        self._as_values: set[Node] = set()  # what something is compared with
        self._names = names
        self._named = NameTypes(self.notes, names, self.type_of, self._as_values, whole)

    def type_of(self, node: Node) -> str:
        """Checks the node and all below it."""
        self.types[node] = type_ = self._type_of(node)
        return type_

    def _type_of(self, node: Node) -> str:
        match node:
            case Literal(value=value):
                return type_of_value(value)
            case ListOf(items=items):
                self._types(items)
                return "list"
            case Logic(operator=operator, operands=operands):
                for operand in operands:
                    self._condition(operand, f"'{operator}'")
                return "boolean"
            case Not(operand=operand):
                self._condition(operand, "'not'")
                return "boolean"
            case Choice(condition=condition, then=then, otherwise=otherwise):
                self._condition(condition, "'if'")
                return common(self._types((then, otherwise)))
            case Comparison():
                return self._comparison(node)
            case Arithmetic(first=first, rest=rest):
                return self._arithmetic([first, *(operand for _, operand in rest)], [sign for sign, _ in rest])
            case Sign(operator=sign, operand=operand):
                return self._arithmetic([operand], [sign])
            case Call():
                return self._call(node)
            case History():
                return self._history(node)
        return self._named.type_of_name(node)

    def _types(self, nodes: Iterable[Node]) -> list[str]:
        return [self.type_of(node) for node in nodes]

    # ------------------------------------------------------------------------------------------------------- operators
    def _condition(self, node: Node, where: str) -> None:
        type_ = self.type_of(node)
        if not KINDS[type_] & KINDS["boolean"]:
            hint = "compare it with something, or ask exists(..)"
            self._problem(
                node, "type-mismatch", f"{where} takes conditions; {self._quote(node)} is {said(type_)}", hint
            )

    def _arithmetic(self, operands: list[Node], signs: list[str]) -> str:
        types = self._types(operands)
        for operand, type_ in zip(operands, types, strict=True):
            if not KINDS[type_] & KINDS["number"]:
                message = f"arithmetic takes numbers only; {self._quote(operand)} is {said(type_)}"
                self._problem(operand, "type-mismatch", message)
        return "integer" if set(types) == {"integer"} and "/" not in signs else "number"

    def _comparison(self, node: Comparison) -> str:
        operands = [node.first, *(operand for _, operand in node.rest)]
        for operand in operands[1:]:
            self._as_values.update(operand.items if isinstance(operand, ListOf) else (operand,))
        types = self._types(operands)
        for index, (sign, _) in enumerate(node.rest):
            left, right = (operands[index], types[index]), (operands[index + 1], types[index + 1])
            if sign in ("in", "not in"):
                self._membership(left, right)
            else:
                self._pair(left, sign, right)
        return "boolean"

    def _pair(self, left: tuple[Node, str], sign: str, right: tuple[Node, str]) -> None:
        (a, type_a), (b, type_b) = left, right
        if "null" in (type_a, type_b):
            return  # false, always: a warning's matter
        if not KINDS[type_a] & KINDS[type_b]:
            pair = f"{self._quote(a)} is {said(type_a)}, {self._quote(b)} is {said(type_b)}"
            message = f"a comparison of different types is always false: {pair}"
            self._problem(b, "type-mismatch", message, other_type_hint(a, b))
        elif sign not in ("==", "!="):
            for operand, type_ in (left, right):
                if not KINDS[type_] & _ORDERED:
                    message = f"'{sign}' orders numbers and texts; {self._quote(operand)} is {said(type_)}"
                    self._problem(operand, "type-mismatch", message)
                    return

    def _membership(self, left: tuple[Node, str], right: tuple[Node, str]) -> None:
        (a, type_a), (b, type_b) = left, right
        if not KINDS[type_b] & KINDS["container"]:
            message = f"'in' looks into a list or a text; {self._quote(b)} is {said(type_b)}"
            self._problem(b, "type-mismatch", message)
        elif type_b in ("string", "date") and not KINDS[type_a] & KINDS["string"]:
            message = f"a text is found in a text; {self._quote(a)} is {said(type_a)}"
            self._problem(a, "type-mismatch", message)
        elif isinstance(b, ListOf):
            for item in b.items:
                self._pair(left, "==", (item, self.types[item]))

    # ------------------------------------------------------------------------------------------------------- functions
    def _call(self, node: Call) -> str:
        function = FUNCTIONS[node.function]
        self._as_values.update(node.arguments[1:])
        types = self._types(node.arguments)
        for index, (argument, type_) in enumerate(zip(node.arguments, types, strict=True)):
            takes = function.takes[min(index, len(function.takes) - 1)]
            kinds = KINDS[takes]
            if type_ != "null" and not KINDS[type_] & kinds:
                message = f"{node.function}() takes {said(takes)}; {self._quote(argument)} is {said(type_)}"
                self._problem(argument, "type-mismatch", message)
        if node.function == "in_crowd":
            self._crowd(node)
        elif node.function == "coalesce":
            return common(types)
        elif node.function in ("abs", "round") and types[0] == "integer":
            return "integer"
        return "integer" if node.function == "round" and len(types) == 1 else function.gives

    def _crowd(self, node: Call) -> None:
        (argument,) = node.arguments
        if not self._names.state:
            self._problem(node, "props-only", "in_crowd() cannot be asked here: only props can be read")
        elif isinstance(argument, Literal) and argument.value not in self._names.crowds:
            message = f"there is no crowd '{argument.value}'"
            self._problem(argument, "unknown-crowd", message, did_you_mean(str(argument.value), self._names.crowds))

    def _history(self, node: History) -> str:
        history = self._names.history
        if history is None:
            return self._problem(node, "needs-refresh", f"{node.function}() is asked of the warehouse", "refresh: 1d")
        if history.types is not None and node.event not in history.types and not node.event.startswith(OWN):
            hint = did_you_mean(node.event, history.types) or "declare it in sources.yaml"
            self._problem(node, "unknown-event", f"no source declares the event type '{node.event}'", hint)
            return "any"
        props = history.props_of(node.event)
        if node.condition is not None:
            inner = _Checker(self.notes.text, Names(props=props, props_of=node.event, state=False))
            inner._condition(node.condition, f"the third argument of {node.function}()")
            self.notes.add(inner.notes)
        if node.prop is None:
            return "integer"
        first, _, inside = node.prop.partition(".")
        type_ = self._named.declared(node, first, props, f"a prop of {node.event}", "unknown-prop")
        type_ = "any" if inside else type_
        if node.function in NUMBERS_ONLY and not KINDS[type_] & KINDS["number"]:
            message = f"{node.function}() takes numbers; '{node.event}.{node.prop}' is {said(type_)}"
            return self._problem(node, "type-mismatch", message)
        if node.function == "distinct":
            return "integer"
        return "number" if node.function in NUMBERS_ONLY else type_
