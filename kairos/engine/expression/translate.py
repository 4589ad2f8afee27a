"""Python's tree -> ours: what is not of the language becomes a problem with its place."""

from __future__ import annotations

import ast

from kairos.engine.expression.calls import aggregate, as_function, code, progress, require_text
from kairos.engine.expression.foreign import FOREIGN, FOREIGN_OPERATORS, Refused, foreign, refuse_hidden
from kairos.engine.expression.functions import AGGREGATES, COUPON, FUNCTIONS, PROGRESS
from kairos.engine.expression.mistakes import event_hint, function_hint
from kairos.engine.expression.places import Places
from kairos.engine.expression.problem import Problem, did_you_mean
from kairos.engine.expression.tree import (
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Field,
    Inside,
    Item,
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
from kairos.engine.expression.values import in_range

ROOTS = ("event", "profile", "metric", "prior")
EVENT_FIELDS = ("type", "time", "id", "source")
RESERVED = frozenset(ROOTS) | FUNCTIONS.keys() | AGGREGATES.keys()

_LITERALS = {"null": None, "true": True, "false": False}
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_ADDITIVE = "+-"
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


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
        except Refused as refused:
            self.problems.append(refused.problem)
            return Literal(start, end, None)

    def _all(self, nodes: list[ast.expr], level: int) -> tuple[Node, ...]:
        return tuple(self.translate(node, level + 1) for node in nodes)

    def _node(self, node: ast.expr, start: int, end: int, level: int) -> Node:
        match node:
            case ast.Constant(value=value):
                return self._literal(value, start, end)
            case ast.Name(id=name):
                return self._name(name, start, end)
            case ast.Attribute():
                return self._path(node, start, end, level)
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
        raise foreign(start, FOREIGN.get(type(node), (f"'{type(node).__name__}'", None)))

    def _literal(self, value: object, start: int, end: int) -> Node:
        if isinstance(value, int) and not isinstance(value, bool) and in_range(value) is None:
            raise Refused(start, "the number is too large: integers have at most 64 bits", code="number-range")
        if isinstance(value, float) and in_range(value) is None:
            raise Refused(start, "the number is too large for a double", code="number-range")
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            raise Refused(start, "the text has a lone surrogate, which is no character", code="text-surrogate")
        if value is not None and not isinstance(value, bool | int | float | str):
            raise foreign(start, (f"'{self._text[start:end][:30]}'", None))
        return Literal(start, end, value)

    def _name(self, name: str, start: int, end: int) -> Node:
        if name in _LITERALS:
            return Literal(start, end, _LITERALS[name])
        if name in ROOTS:
            raise Refused(
                start, f"'{name}' alone has no value", f"read a field of it: {name}.x", code="incomplete-name"
            )
        if name in RESERVED:
            message = f"'{name}' is a function; a prop of that name cannot be read"
            raise Refused(start, message, f"a call is written {name}(..)", code="reserved-name")
        refuse_hidden(name, start)
        return Prop(start, end, name)

    def _path(self, node: ast.Attribute, start: int, end: int, level: int) -> Node:
        """`root.name`, `catalog[key].name` or `step.first.name`, and what lies inside: `.name` or `.0` after it."""
        names: list[str] = []
        ends: list[int] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            stop = self._places.of(inner.end_lineno or 1, inner.end_col_offset or 0)
            written = self._text[stop - len(inner.attr) : stop]
            names.insert(0, written if written.isdecimal() else inner.attr)  # see `grammar.named_positions`
            ends.insert(0, stop)
            inner = inner.value
        if isinstance(inner, ast.Subscript) and isinstance(inner.value, ast.Name):
            return self._item(inner, inner.value.id, names, ends, level)
        if not isinstance(inner, ast.Name):
            raise Refused(start, "'.' reads from a name only, not from a value; the language has no methods")
        for name in (inner.id, *names):
            refuse_hidden(name, start)
        if names[0].isdecimal() and inner.id not in RESERVED and inner.id not in _LITERALS:
            bare_end = self._places.of(inner.end_lineno or 1, inner.end_col_offset or 0)
            return Inside(start, end, Prop(start, bare_end, inner.id), tuple(names))
        whole = 2 if len(names) > 1 and names[0] in ("first", "last") and inner.id not in RESERVED else 1
        read = self._read(inner.id, names[:whole], start, ends[whole - 1])
        if len(names) == whole:
            return read
        if isinstance(read, StepCount) or (isinstance(read, Field) and read.root != "profile"):
            path = ".".join((inner.id, *names))[:60]
            raise Refused(start, f"'{path}' goes too deep: nothing lies inside of it", code="unknown-name")
        return Inside(start, end, read, tuple(names[whole:]))

    def _item(self, node: ast.Subscript, catalog: str, names: list[str], ends: list[int], level: int) -> Node:
        """Which names are catalogs, only the checks know."""
        start = self._places.of(node.lineno, node.col_offset)
        if catalog in RESERVED or catalog in _LITERALS or isinstance(node.slice, ast.Slice | ast.Tuple):
            raise foreign(start, FOREIGN[ast.Subscript])
        for name in (catalog, *names):
            refuse_hidden(name, start)
        item = Item(start, ends[0], catalog, self.translate(node.slice, level + 1), names[0])
        return item if len(names) == 1 else Inside(start, ends[-1], item, tuple(names[1:]))

    def _read(self, root: str, names: list[str], start: int, end: int) -> Node:
        if len(names) == 1:
            if root in ROOTS:
                return self._field(root, names[0], start, end)
            if root in RESERVED or root in _LITERALS:
                raise Refused(start, f"'{root}' has no fields; it cannot be a step's name", code="reserved-name")
            if names[0] == "count":
                return StepCount(start, end, root)
            return StepProp(start, end, root, names[0], "last")
        return StepProp(start, end, root, names[1], "first" if names[0] == "first" else "last")

    def _field(self, root: str, name: str, start: int, end: int) -> Node:
        if root == "event" and name not in EVENT_FIELDS:
            message = f"'event' has the fields {', '.join(EVENT_FIELDS)}, not '{name}'"
            raise Refused(start, message, event_hint(name), "unknown-name")
        return Field(start, end, root, name)  # type: ignore[arg-type]  # of ROOTS

    def _call(self, node: ast.Call, start: int, end: int, level: int) -> Node:
        if not isinstance(node.func, ast.Name):
            hint = as_function(node.func)
            raise Refused(start, "only functions can be called, by name; the language has no methods", hint)
        name = node.func.id
        if name in PROGRESS:
            return progress(name, node, start, end)
        if name == COUPON:
            return code(node, start, end)
        if name not in FUNCTIONS and name not in AGGREGATES:
            known = [*FUNCTIONS, *AGGREGATES, *PROGRESS]
            self._all(node.args, level)
            raise Refused(
                start,
                f"there is no function '{name[:60]}'",
                function_hint(name) or did_you_mean(name, known),
                "unknown-function",
            )
        if node.keywords:
            raise Refused(start, f"{name}() takes its arguments by position, not by name")
        arguments = self._all(node.args, level)
        if name in AGGREGATES:
            whole = all(isinstance(read, ast.Attribute) and isinstance(read.value, ast.Name) for read in node.args)
            return aggregate(name, arguments if whole else (), start, end)
        function = FUNCTIONS[name]
        if not function.least <= len(arguments) <= function.most:
            raise Refused(start, f"{name}() takes {function.count()}, not {len(arguments)}", code="argument-count")
        if function.literal is not None:
            require_text(name, arguments[function.literal])
        return Call(start, end, name, arguments)

    def _unary(self, node: ast.UnaryOp, start: int, end: int, level: int) -> Node:
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(start, end, self.translate(operand, level + 1))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if value is not True:
                return self._literal(-value, start, end)  # here, for the lowest integer has no positive counterpart
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as operator, operand=operand):
                sign = "-" if isinstance(operator, ast.USub) else "+"
                return Sign(start, end, sign, self.translate(operand, level + 1))  # type: ignore[arg-type]
        raise foreign(start, FOREIGN_OPERATORS[type(node.op)])

    def _comparison(self, node: ast.Compare, start: int, end: int, level: int) -> Node:
        first, *operands = self._all([node.left, *node.comparators], level)
        for operator in node.ops:
            if type(operator) not in _COMPARISONS:
                raise foreign(start, FOREIGN_OPERATORS[type(operator)])
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
                raise foreign(start, FOREIGN_OPERATORS[type(inner.op)])
            additive = operator in _ADDITIVE
            if operators is not None and additive != (operators == _ADDITIVE):
                break
            operators = _ADDITIVE if additive else "*/%"
            rest.append((operator, inner.right))
            inner = inner.left
        first, *operands = self._all([inner, *(operand for _, operand in reversed(rest))], level)
        signs = [sign for sign, _ in reversed(rest)]
        return Arithmetic(start, end, first, tuple(zip(signs, operands, strict=True)))
