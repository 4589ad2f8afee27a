"""Names and types of an expression: what would silently be null or false in every case is an error here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kairos.engine.expression.functions import FUNCTIONS
from kairos.engine.expression.kinds import KINDS, common, said, type_of_value
from kairos.engine.expression.problem import Problem, did_you_mean
from kairos.engine.expression.scope import Names
from kairos.engine.expression.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Field,
    ListOf,
    Literal,
    Logic,
    Node,
    Not,
    Prop,
    Sign,
    StepCount,
    StepProp,
)

_EVENT_TYPES = {"type": "string", "time": "integer", "id": "string", "source": "string"}

_ORDERED = frozenset({"number", "text"})


@dataclass(frozen=True)
class Checked:
    """The expression's type, the types of everything in it, what is wrong with it, and what is probably not meant."""

    type: str
    types: Mapping[Node, str]
    problems: list[Problem]
    warnings: list[Problem]


def check(text: str, tree: Node, names: Names) -> Checked:
    checker = _Checker(text, names)
    return Checked(checker.type_of(tree), checker.types, checker.problems, checker.warnings)


class _Checker:
    def __init__(self, text: str, names: Names) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.types: dict[Node, str] = {}
        self._text = text
        self._names = names

    def _problem(self, node: Node, code: str, message: str, hint: str | None = None) -> str:
        """Notes the problem; the type that the node has from there on, so that nothing follows from it."""
        self.problems.append(Problem(node.start, code, message, hint))
        return "any"

    def _quote(self, node: Node) -> str:
        words = " ".join(self._text[node.start : node.end].split())
        return f"'{words if len(words) <= 60 else words[:57] + '...'}'"

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
        return self._name(node)

    def _types(self, nodes: Iterable[Node]) -> list[str]:
        return [self.type_of(node) for node in nodes]

    # -------------------------------------------------------------------------------------------------------- names
    def _name(self, node: Node) -> str:
        match node:
            case Prop(name=name):
                return self._bare(node, name)
            case StepProp(step=step, prop=prop):
                return self._step_prop(node, step, prop)
            case StepCount(step=step):
                return "integer" if self._is_step(node, step) else "any"
            case Aggregate(function=function, step=step, prop=prop):
                return self._aggregate(node, function, step, prop)
            case Field(root="event", name=name):
                if not self._names.event:
                    return self._problem(node, "no-event", "there is no event to read here")
                return _EVENT_TYPES[name]
            case Field(root=root, name=name):
                return self._state(node, root, name)
        raise TypeError(node)

    def _bare(self, node: Node, name: str) -> str:
        names = self._names
        if not names.bare:
            message = f"'{name}' is a bare name, and there is no event here whose prop it could be"
            return self._problem(node, "no-event", message, self._qualified(name))
        if names.props is None:
            if name in names.steps or name in names.forbidden:
                message = f"'{name}' is read as a prop of that name here, though a step is called so"
                self.warnings.append(Problem(node.start, "step-as-prop", message, f"a step's prop is {name}.prop"))
            return "any"
        if name in names.props:
            return names.props[name]
        owner = f" of {names.props_of}" if names.props_of else " here"
        if name in names.forbidden or name in names.steps:
            message = f"'{name}' is a step, and no prop{owner}"
            return self._problem(node, "unknown-prop", message, f"a step's props are read as {name}.prop")
        hint = did_you_mean(name, names.props) or self._qualified(name)
        return self._problem(node, "unknown-prop", f"'{name}' is not a prop{owner}", hint)

    def _qualified(self, name: str) -> str | None:
        """The same name elsewhere: as a profile's field or a metric."""
        if name in (self._names.profile or ()):
            return f"did you mean 'profile.{name}'?"
        return f"did you mean 'metric.{name}'?" if name in self._names.metrics else None

    def _is_step(self, node: Node, step: str) -> bool:
        names = self._names
        if step in names.steps:
            return True
        if step in names.forbidden:
            self._problem(node, "unknown-step", f"'{step}' cannot be read here: {names.forbidden[step]}")
        elif names.props is not None and step in names.props:
            message = f"'{step}' is a prop, not a step: what is inside of it cannot be read"
            self._problem(node, "unknown-step", message)
        else:
            known = [*names.steps, "event", "profile", "metric", "prior"]
            self._problem(node, "unknown-step", f"there is no earlier step '{step}'", did_you_mean(step, known))
        return False

    def _step_prop(self, node: Node, step: str, prop: str) -> str:
        if not self._is_step(node, step):
            return "any"
        props = self._names.steps[step].props
        return self._declared(node, prop, props, f"a prop of step '{step}'", "unknown-prop")

    def _declared(self, node: Node, name: str, known: Mapping[str, str] | None, what: str, code: str) -> str:
        if known is None:
            return "any"
        if name not in known:
            return self._problem(node, code, f"'{name}' is not {what}", did_you_mean(name, known))
        return known[name]

    def _aggregate(self, node: Node, function: str, step: str, prop: str) -> str:
        type_ = self._step_prop(node, step, prop)
        if not KINDS[type_] & KINDS["number"]:
            return self._problem(node, "type-mismatch", f"{function}() takes numbers; '{step}.{prop}' is {said(type_)}")
        return "integer" if type_ == "integer" and function != "avg" else "number"

    def _state(self, node: Node, root: str, name: str) -> str:
        if not self._names.state:
            return self._problem(node, "props-only", f"'{root}.{name}' cannot be read here: only props can")
        if root == "profile":
            return self._declared(
                node, name, self._names.profile, "a declared field of the profile", "unknown-profile-field"
            )
        return self._declared(node, name, self._names.metrics, "a metric", "unknown-metric")

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
            self._problem(b, "type-mismatch", message)
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
