"""Tree -> Python function of a `Scope`.

Python source is generated from the checked tree and compiled, which is several times as fast as nested closures. The
source holds nothing of the rule's text but literals and names in `repr`. Every operand is asked for its type before
Python's operator sees it, so nothing can raise; `values.py` says what the operators mean, and this only takes short
cuts to the same results where one side is a literal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.expression import values
from kairos.engine.expression.functions import AGGREGATES, FUNCTIONS
from kairos.engine.expression.regex import searcher
from kairos.engine.expression.scope import Scope
from kairos.engine.expression.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Choice,
    Code,
    Comparison,
    Field,
    Inside,
    Item,
    ListOf,
    Literal,
    Logic,
    Node,
    Not,
    Progress,
    Prop,
    Sign,
    StepCount,
    StepProp,
)

_COMPARE = {
    "==": values.equal, "!=": values.unequal, "<": values.less, "<=": values.less_or_equal,
    ">": values.greater, ">=": values.greater_or_equal, "in": values.inside, "not in": values.not_inside,
}  # fmt: skip
_CALCULATE = {
    "+": values.add, "-": values.subtract, "*": values.multiply, "/": values.divide, "%": values.modulo,
}  # fmt: skip
_NESTED_CALLS = 4  # longer arithmetic chains are folded in a loop
_LEVELS_A_FUNCTION = 6  # Python's parser takes 200 brackets: what is deeper becomes a function of its own


def compile_tree(tree: Node, *, truth: bool = False, zone: ZoneInfo | None = None) -> Callable[[Scope], Any]:
    """With `truth`, the function says whether the value is true; otherwise it gives the value. `zone`: whose clock
    counts; None: that of the scope."""
    return _Emitter(zone).function(tree, truth)


def is_boolean(node: Node) -> bool:
    """Can give nothing but true and false."""
    if isinstance(node, Call):
        return FUNCTIONS[node.function].gives == "boolean"
    return isinstance(node, Comparison | Logic | Not) or (isinstance(node, Literal) and isinstance(node.value, bool))


class _Operand:
    """Code that is run where it is used first; later uses read the variable that it was put into."""

    def __init__(self, node: Node, code: str, variable: str | None) -> None:
        self.node = node
        self._next = code if variable is None else f"({variable} := {code})"
        self._variable = variable

    def use(self) -> str:
        """To be called in the order of evaluation."""
        code, self._next = self._next, self._variable or self._next
        return code


class _Emitter:
    def __init__(self, zone: ZoneInfo | None) -> None:
        self._needs = {"now": "s.now", "zone": "s.zone" if zone is None else "zone"}
        self._functions: list[str] = []
        self._variables = 0
        self._names: dict[str, Any] = {
            "__builtins__": {},
            "type": type,
            "int": int,
            "float": float,
            "str": str,
            "len": len,
            "zone": zone,
        }

    def function(self, tree: Node, truth: bool) -> Callable[[Scope], Any]:
        name = self._define(tree, truth)
        exec(compile("\n".join(self._functions), "<expression>", "exec"), self._names)
        compiled: Callable[[Scope], Any] = self._names[name]
        return compiled

    def _define(self, tree: Node, truth: bool) -> str:
        code = self._truth(tree, 0) if truth else self._value(tree, 0)
        name = f"f{len(self._functions)}"
        self._functions.append(f"def {name}(s): return {code}")
        return name

    def _name(self, function: Callable[..., Any]) -> str:
        """The name under which the generated code finds it."""
        name = f"{function.__name__}_{id(function):x}"
        self._names[name] = function
        return name

    # ------------------------------------------------------------------------------------------------------- values
    def _value(self, node: Node, level: int) -> str:
        if level >= _LEVELS_A_FUNCTION and not isinstance(node, Literal | Prop | StepProp):
            return f"{self._define(node, False)}(s)"
        match node:
            case Literal(value=value):
                return repr(value)
            case ListOf(items=items):
                return f"[{', '.join(self._value(item, level + 1) for item in items)}]"
            case Comparison():
                return self._chain(node, level)
            case Logic(operator=operator, operands=operands):
                return f"({f' {operator} '.join(self._truth(operand, level + 1) for operand in operands)})"
            case Not(operand=operand):
                return f"(not {self._truth(operand, level + 1)})"
            case Choice(condition=condition, then=then, otherwise=otherwise):
                chosen, other = self._value(then, level + 1), self._value(otherwise, level + 1)
                return f"({chosen} if {self._truth(condition, level + 1)} else {other})"
            case Arithmetic(first=first, rest=rest):
                return self._arithmetic(first, rest, level)
            case Sign(operator=sign, operand=operand):
                function = values.negative if sign == "-" else values.positive
                return f"{self._name(function)}({self._value(operand, level + 1)})"
            case Call():
                return self._call(node, level)
        return self._read(node)

    def _truth(self, node: Node, level: int) -> str:
        if isinstance(node, Literal):
            return repr(node.value is True)
        return self._value(node, level) if is_boolean(node) else f"({self._value(node, level)} is True)"

    def _read(self, node: Node) -> str:
        match node:
            case Prop(name=name):
                return f"s.props.get({name!r})"
            case StepProp(step=step, prop=prop, which="first"):
                taken = self._variable()
                return f"({taken}[0].props.get({prop!r}) if ({taken} := s.steps.get({step!r})) else None)"
            case StepProp(step=step, prop=prop):
                taken, within = self._variable(), self._name(values.within)
                inside = f"None if {step!r} in s.steps else {within}(s.props, {(step, prop)!r})"
                return f"({taken}[-1].props.get({prop!r}) if ({taken} := s.steps.get({step!r})) else {inside})"
            case Item(catalog=catalog, key=key, name=name):
                return f"(s.item({catalog!r}, {self._value(key, 0)}) or {{}}).get({name!r})"
            case Inside(value=value, path=path):
                return f"{self._name(values.within)}({self._value(value, 0)}, {path!r})"
            case Code():
                return "None"
            case StepCount(step=step):
                return f"len(s.steps.get({step!r}) or ())"
            case Progress(message=message):
                return f"s.progress.get({message!r})"
            case Aggregate(function=function, step=step, prop=prop):
                return f"{self._name(AGGREGATES[function])}(s.steps.get({step!r}), {prop!r})"
            case Field(root="event", name=name):
                return f"(None if s.event is None else s.event.{name})"
            case Field(root="profile", name=name):
                return f"s.profile.get({name!r})"
            case Field(root=root, name=name):
                return f"s.{root}({name!r})"
        raise TypeError(node)

    def _variable(self) -> str:
        self._variables += 1
        return f"v{self._variables}"

    def _arithmetic(self, first: Node, rest: tuple[tuple[str, Node], ...], level: int) -> str:
        code = self._value(first, level + 1)
        steps = [(self._name(_CALCULATE[sign]), self._value(operand, level + 1)) for sign, operand in rest]
        if len(steps) > _NESTED_CALLS:
            return (
                f"{self._name(values.fold)}({code}, [{', '.join(f'({name}, {operand})' for name, operand in steps)}])"
            )
        for name, operand in steps:
            code = f"{name}({code}, {operand})"
        return code

    def _call(self, node: Call, level: int) -> str:
        arguments = [self._value(argument, level + 1) for argument in node.arguments]
        if node.function == "exists":
            if isinstance(node.arguments[0], Literal):
                return repr(node.arguments[0].value is not None)
            return f"({arguments[0]} is not None)"
        if node.function == "in_crowd":
            return f"(s.in_crowd({arguments[0]}) is True)"
        if node.function == "matches":
            return f"{self._name(_searcher(node))}({arguments[0]})"
        function = FUNCTIONS[node.function]
        assert function.run is not None
        return f"{self._name(function.run)}({', '.join([*arguments, *(self._needs[name] for name in function.needs)])})"

    # -------------------------------------------------------------------------------------------------- comparisons
    def _chain(self, node: Comparison, level: int) -> str:
        operands = [
            self._operand(operand, level + 1) for operand in (node.first, *(operand for _, operand in node.rest))
        ]
        pairs = [self._pair(a, sign, b) for a, (sign, _), b in zip(operands, node.rest, operands[1:], strict=False)]
        return pairs[0] if len(pairs) == 1 else f"({' and '.join(pairs)})"

    def _operand(self, node: Node, level: int) -> _Operand:
        code = self._value(node, level)
        return _Operand(node, code, None if isinstance(node, Literal) else self._variable())

    def _pair(self, a: _Operand, sign: str, b: _Operand) -> str:
        """Code that is true or false. Where it is true, both operands have been used: the chain goes on with them."""
        general = self._name(_COMPARE[sign])
        if sign in ("in", "not in"):
            short = self._membership(a, sign, b)
            if short:
                return short
        elif isinstance(a.node, Literal) != isinstance(b.node, Literal):
            return _with_literal(a, sign, b)
        elif sign == "==" and not isinstance(a.node, Literal):
            both_text = f"type({a.use()}) is type({b.use()}) is str"
            x, y = a.use(), b.use()
            return f"({x} == {y} if {both_text} else {general}({x}, {y}))"
        return f"{general}({a.use()}, {b.use()})"

    def _membership(self, a: _Operand, sign: str, b: _Operand) -> str | None:
        """In a list of nothing but texts, or of nothing but numbers, Python's own set decides."""
        if not isinstance(b.node, ListOf) or not b.node.items or isinstance(a.node, Literal):
            return None
        items = [item.value if isinstance(item, Literal) else None for item in b.node.items]
        kinds = {float if type(item) is int else type(item) for item in items}
        if kinds not in ({str}, {float}):
            return None
        elements = f"{{{', '.join(map(repr, items))}}}"
        value = a.use()
        test = _is_text(value) if kinds == {str} else _is_number(value, a.use())
        found = f"({test} and {a.use()} in {elements})"
        return found if sign == "in" else f"(not {found} and {a.use()} is not None)"


def _is_text(value: str) -> str:
    return f"type({value}) is str"


def _is_number(value: str, again: str) -> str:
    return f"(type({value}) is int or type({again}) is float)"


def _with_literal(a: _Operand, sign: str, b: _Operand) -> str:
    """One side is a literal, so the kind is known that the other must have."""
    x, literal = (a, b.node) if isinstance(b.node, Literal) else (b, a.node)
    assert isinstance(literal, Literal)
    value = literal.value
    if value is None:
        return "False"
    if isinstance(value, bool):
        wanted = {"==": value, "!=": not value}.get(sign)
        return "False" if wanted is None else f"({x.use()} is {wanted})"
    if sign == "==" and value not in (0, 1):  # Python's true is 1: these two need a look at the type
        return f"({a.use()} == {b.use()})"
    kind = _is_text(x.use()) if isinstance(value, str) else _is_number(x.use(), x.use())
    return f"({kind} and {a.use()} {sign} {b.use()})"


def _searcher(node: Call) -> Callable[[Any], bool]:
    pattern = node.arguments[1]
    assert isinstance(pattern, Literal)
    assert isinstance(pattern.value, str)
    return searcher(pattern.value)
