"""Python's tree -> ours: what is not of the language becomes a problem with its place."""

from __future__ import annotations

import ast

from kairos.engine.expression.functions import AGGREGATES, FUNCTIONS
from kairos.engine.expression.places import Places
from kairos.engine.expression.problem import Problem, did_you_mean
from kairos.engine.expression.regex import regex_error
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

ROOTS = ("event", "profile", "metric", "prior")
EVENT_FIELDS = ("type", "time", "id", "source")
RESERVED = frozenset(ROOTS) | FUNCTIONS.keys() | AGGREGATES.keys()

_LITERALS = {"null": None, "true": True, "false": False}
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_ADDITIVE = "+-"
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_FOREIGN: dict[type[ast.AST], tuple[str, str | None]] = {
    ast.Lambda: ("a lambda", None),
    ast.JoinedStr: ("an f-string", None),
    ast.Subscript: ("a subscript [..]", None),
    ast.Tuple: ("a tuple", "a list is written in square brackets: [a, b]"),
    ast.Dict: ("a dict {..}", None),
    ast.Set: ("a set {..}", "a list is written in square brackets: [a, b]"),
    ast.ListComp: ("a comprehension", None),
    ast.SetComp: ("a comprehension", None),
    ast.DictComp: ("a comprehension", None),
    ast.GeneratorExp: ("a generator", None),
    ast.NamedExpr: ("':='", "equality is written '=='"),
    ast.Starred: ("'*' before a value", None),
    ast.Await: ("await", None),
    ast.Yield: ("yield", None),
    ast.YieldFrom: ("yield", None),
}
_FOREIGN_OPERATORS: dict[type[ast.AST], tuple[str, str | None]] = {
    ast.Pow: ("'**'", None),
    ast.FloorDiv: ("'//'", "write '/'"),
    ast.MatMult: ("'@'", None),
    ast.BitAnd: ("'&'", "write 'and'"),
    ast.BitOr: ("'|'", "write 'or'"),
    ast.BitXor: ("'^'", None),
    ast.LShift: ("'<<'", None),
    ast.RShift: ("'>>'", None),
    ast.Invert: ("'~'", "write 'not'"),
    ast.Is: ("'is'", "write '==', or exists(x) to ask for a value"),
    ast.IsNot: ("'is not'", "write '!=', or exists(x) to ask for a value"),
}


class _Refused(Exception):
    """Leaves a node that cannot become one of ours; its problem is noted."""


class Translator:
    def __init__(self, text: str, places: Places, max_levels: int) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._places = places
        self._max_levels = max_levels
        self._too_deep = False

    def translate(self, node: ast.expr, level: int = 1) -> Node:
        """Always a node, so that one problem does not hide the next; where it is refused, a null."""
        start = self._places.of(node.lineno, node.col_offset)
        end = self._places.of(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        if level > self._max_levels:
            if not self._too_deep:
                self._too_deep = True
                message = f"the expression is nested too deep; the limit is {self._max_levels} levels"
                self.problems.append(Problem(start, "expression-too-deep", message))
            return Literal(start, end, None)
        try:
            return self._node(node, start, end, level)
        except _Refused:
            return Literal(start, end, None)

    def _refuse(self, at: int, message: str, hint: str | None = None, code: str = "expression-unsupported") -> _Refused:
        """Notes the problem; to be raised."""
        self.problems.append(Problem(at, code, message, hint))
        return _Refused()

    def _foreign(self, offset: int, what: tuple[str, str | None]) -> _Refused:
        return self._refuse(offset, f"{what[0]} is not part of the expression language", what[1])

    def _all(self, nodes: list[ast.expr], level: int) -> tuple[Node, ...]:
        return tuple(self.translate(node, level + 1) for node in nodes)

    def _node(self, node: ast.expr, start: int, end: int, level: int) -> Node:
        match node:
            case ast.Constant(value=value):
                return self._literal(value, start, end)
            case ast.Name(id=name):
                return self._name(name, start, end)
            case ast.Attribute():
                return self._path(node, start, end)
            case ast.Call():
                return self._call(node, start, end, level)
            case ast.BoolOp(op=logic, values=values):
                return Logic(start, end, "and" if isinstance(logic, ast.And) else "or", self._all(values, level))
            case ast.UnaryOp():
                return self._unary(node, start, end, level)
            case ast.Compare():
                return self._comparison(node, start, end, level)
            case ast.BinOp():
                return self._arithmetic(node, start, end, level)
            case ast.List(elts=items):
                return ListOf(start, end, self._all(items, level))
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                then, condition, other = self._all([body, test, otherwise], level)
                return Choice(start, end, condition, then, other)
        raise self._foreign(start, _FOREIGN.get(type(node), (f"'{type(node).__name__}'", None)))

    def _literal(self, value: object, start: int, end: int) -> Node:
        if isinstance(value, int) and not isinstance(value, bool) and not _LOWEST <= value <= _HIGHEST:
            raise self._refuse(start, "the number is too large: integers have at most 64 bits", code="number-range")
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise self._refuse(start, "the number is too large for a double", code="number-range")
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            raise self._refuse(start, "the text has a lone surrogate, which is no character", code="text-surrogate")
        if value is not None and not isinstance(value, bool | int | float | str):
            raise self._foreign(start, (f"'{self._text[start:end][:30]}'", None))
        return Literal(start, end, value)

    def _name(self, name: str, start: int, end: int) -> Node:
        if name in _LITERALS:
            return Literal(start, end, _LITERALS[name])
        if name in ROOTS:
            raise self._refuse(
                start, f"'{name}' alone has no value", f"read a field of it: {name}.x", code="incomplete-name"
            )
        if name in RESERVED:
            message = f"'{name}' is a function; a prop of that name cannot be read"
            raise self._refuse(start, message, f"a call is written {name}(..)", code="reserved-name")
        self._refuse_hidden(name, start)
        return Prop(start, end, name)

    def _refuse_hidden(self, name: str, start: int) -> None:
        if name.startswith("_"):
            raise self._refuse(
                start, f"'{name}' is not a name that may be read: names start with a letter", code="bad-name"
            )

    def _path(self, node: ast.Attribute, start: int, end: int) -> Node:
        """`root.name` or `step.first.name`."""
        names: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            names.insert(0, inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            raise self._refuse(start, "'.' reads from a name only, not from a value; the language has no methods")
        for name in (inner.id, *names):
            self._refuse_hidden(name, start)
        return self._read(inner.id, names, start, end)

    def _read(self, root: str, names: list[str], start: int, end: int) -> Node:
        if len(names) == 1:
            if root in ROOTS:
                return self._field(root, names[0], start, end)
            if root in RESERVED or root in _LITERALS:
                raise self._refuse(start, f"'{root}' has no fields; it cannot be a step's name", code="reserved-name")
            if names[0] == "count":
                return StepCount(start, end, root)
            return StepProp(start, end, root, names[0], "last")
        if len(names) == 2 and root not in RESERVED and names[0] in ("first", "last"):
            return StepProp(start, end, root, names[1], "first" if names[0] == "first" else "last")
        path = ".".join((root, *names))[:60]
        message = f"'{path}' goes too deep: only name.prop, step.first.prop and step.last.prop can be read"
        raise self._refuse(start, message, code="unknown-name")

    def _field(self, root: str, name: str, start: int, end: int) -> Node:
        if root == "event" and name not in EVENT_FIELDS:
            hint = f"a prop is read by its bare name: {name}"
            raise self._refuse(
                start, f"'event' has the fields {', '.join(EVENT_FIELDS)}, not '{name}'", hint, "unknown-name"
            )
        return Field(start, end, root, name)  # type: ignore[arg-type]  # of ROOTS

    def _call(self, node: ast.Call, start: int, end: int, level: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise self._refuse(start, "only functions can be called, by name; the language has no methods")
        name = node.func.id
        if name not in FUNCTIONS and name not in AGGREGATES:
            known = [*FUNCTIONS, *AGGREGATES]
            self._all(node.args, level)
            raise self._refuse(
                start, f"there is no function '{name[:60]}'", did_you_mean(name, known), "unknown-function"
            )
        if node.keywords:
            raise self._refuse(start, f"{name}() takes its arguments by position, not by name")
        arguments = self._all(node.args, level)
        if name in AGGREGATES:
            whole = all(isinstance(read, ast.Attribute) and isinstance(read.value, ast.Name) for read in node.args)
            return self._aggregate(name, arguments if whole else (), start, end)
        function = FUNCTIONS[name]
        if not function.least <= len(arguments) <= function.most:
            raise self._refuse(start, f"{name}() takes {function.count()}, not {len(arguments)}", code="argument-count")
        if function.literal is not None:
            self._quoted(name, arguments[function.literal])
        return Call(start, end, name, arguments)

    def _quoted(self, name: str, argument: Node) -> None:
        """What must be known before any event comes: a regular expression, the name of a crowd."""
        if not (isinstance(argument, Literal) and isinstance(argument.value, str)):
            message = f"{name}() takes text in quotes there: it must be known beforehand"
            raise self._refuse(argument.start, message, code="argument-type")
        error = regex_error(argument.value) if name == "matches" else None
        if error:
            raise self._refuse(argument.start, f"not a regular expression (RE2): {error}", code="bad-regex")

    def _aggregate(self, name: str, arguments: tuple[Node, ...], start: int, end: int) -> Node:
        match arguments:
            case (StepProp(step=step, prop=prop, which="last"),):
                return Aggregate(start, end, name, step, prop)  # type: ignore[arg-type]  # of AGGREGATES
        raise self._refuse(start, f"{name}() takes one prop of a step: {name}(step.prop)", code="argument-type")

    def _unary(self, node: ast.UnaryOp, start: int, end: int, level: int) -> Node:
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(start, end, self.translate(operand, level + 1))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if value is not True:
                return self._literal(-value, start, end)  # here, for the lowest integer has no positive counterpart
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as operator, operand=operand):
                sign = "-" if isinstance(operator, ast.USub) else "+"
                return Sign(start, end, sign, self.translate(operand, level + 1))  # type: ignore[arg-type]
        raise self._foreign(start, _FOREIGN_OPERATORS[type(node.op)])

    def _comparison(self, node: ast.Compare, start: int, end: int, level: int) -> Node:
        first, *operands = self._all([node.left, *node.comparators], level)
        for operator in node.ops:
            if type(operator) not in _COMPARISONS:
                raise self._foreign(start, _FOREIGN_OPERATORS[type(operator)])
        names = [_COMPARISONS[type(operator)] for operator in node.ops]
        return Comparison(start, end, first, tuple(zip(names, operands, strict=True)))

    def _arithmetic(self, node: ast.BinOp, start: int, end: int, level: int) -> Node:
        """`a + b - c` leans to the left in Python's tree; here it is one level."""
        rest: list[tuple[str, ast.expr]] = []
        inner: ast.expr = node
        operators: str | None = None
        while isinstance(inner, ast.BinOp):
            operator = _ARITHMETIC.get(type(inner.op))
            if operator is None:
                raise self._foreign(start, _FOREIGN_OPERATORS[type(inner.op)])
            additive = operator in _ADDITIVE
            if operators is not None and additive != (operators == _ADDITIVE):
                break
            operators = _ADDITIVE if additive else "*/%"
            rest.append((operator, inner.right))
            inner = inner.left
        first, *operands = self._all([inner, *(operand for _, operand in reversed(rest))], level)
        signs = [sign for sign, _ in reversed(rest)]
        return Arithmetic(start, end, first, tuple(zip(signs, operands, strict=True)))
