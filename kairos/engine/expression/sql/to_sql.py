"""Tree -> SQL in DuckDB's dialect, with the meaning that `values.py` gives to it.

Every piece of SQL has a kind: `number` (DOUBLE), `text`, `boolean`, or `json` where only the row tells: a JSON value,
as the functions of `sql_functions` take it. NULL is null in all of them. Nothing raises, whatever the rows hold.
Numbers are doubles: beyond 2^53 arithmetic and order are inexact, equality of two props is not. Lists and objects are
equal where they are written alike.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import Protocol

from kairos.engine.expression.sql.pieces import (
    NotInSql,
    Sql,
    as_json,
    equal,
    inside,
    literal,
    number,
    one_kind,
    ordered,
    predicate,
    rounded,
    text,
    truth,
    unequal,
)
from kairos.engine.expression.tree import (
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Field,
    History,
    Inside,
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


class Columns(Protocol):
    """Where the names of an expression stand. Each may raise NotInSql."""

    def prop(self, name: str) -> Sql: ...
    def step_prop(self, step: str, prop: str, which: str) -> Sql: ...
    def step_count(self, step: str) -> Sql: ...
    def field(self, root: str, name: str) -> Sql: ...
    def in_crowd(self, name: str) -> Sql: ...
    def history(self, asked: History) -> Sql: ...
    def offset(self, time: str) -> str:
        """SQL of the user's distance from UTC, in ms, at this time (SQL, epoch ms)."""
        ...


def condition_sql(tree: Node, columns: Columns) -> str:
    """A BOOLEAN, never NULL."""
    return _Writer(columns).truth(tree)


def number_sql(tree: Node, columns: Columns) -> str:
    """A DOUBLE; NULL where the value is no number."""
    return number(_Writer(columns).value(tree))


def value_sql(tree: Node, columns: Columns) -> Sql:
    return _Writer(columns).value(tree)


_CALCULATE = {"+": "({} + {})", "-": "({} - {})", "*": "({} * {})", "/": "({} / nullif({}, 0e0))"}


class _Writer:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def truth(self, node: Node) -> str:
        return truth(self.value(node))

    def value(self, node: Node) -> Sql:
        match node:
            case Literal(value=value):
                return literal(value)
            case Logic(operator=operator, operands=operands):
                joined = f" {operator.upper()} ".join(self.truth(operand) for operand in operands)
                return Sql("boolean", f"({joined})")
            case Not(operand=operand):
                return Sql("boolean", f"(NOT {self.truth(operand)})")
            case Comparison(first=first, rest=rest):
                nodes = [first, *(operand for _, operand in rest)]
                signs = [sign for sign, _ in rest]
                pairs = [self._compared(a, sign, b) for (a, b), sign in zip(pairwise(nodes), signs, strict=True)]
                return Sql("boolean", f"({' AND '.join(pairs)})")
            case Choice(condition=condition, then=then, otherwise=otherwise):
                kind, (chosen, other) = one_kind([self.value(then), self.value(otherwise)])
                return Sql(kind, f"CASE WHEN {self.truth(condition)} THEN {chosen} ELSE {other} END")
            case Arithmetic(first=first, rest=rest):
                return Sql("number", reduce(self._calculated, rest, number(self.value(first))))
            case Sign(operator=sign, operand=operand):
                operand_sql = number(self.value(operand))
                return Sql("number", f"(-{operand_sql})" if sign == "-" else operand_sql)
            case Call():
                return self._call(node)
            case ListOf():
                raise NotInSql("a list is for 'in' only")
        return self._read(node)

    def _read(self, node: Node) -> Sql:
        columns = self._columns
        match node:
            case Prop(name=name):
                return columns.prop(name)
            case StepProp(step=step, prop=prop, which=which):
                return columns.step_prop(step, prop, which)
            case StepCount(step=step):
                return columns.step_count(step)
            case Field(root=root, name=name):
                return columns.field(root, name)
            case History():
                return columns.history(node)
            case Inside():
                raise NotInSql("what lies inside a value is not asked of the warehouse")
        raise NotInSql("an aggregate over a step is not kept in the warehouse")

    def _compared(self, first: Node, sign: str, second: Node) -> str:
        a = self.value(first)
        if sign in ("in", "not in"):
            found, askable = self._inside(a, second)
            return found if sign == "in" else f"({askable} AND NOT {found})"
        b = self.value(second)
        if sign == "==":
            return equal(a, b)
        return unequal(a, b) if sign == "!=" else ordered(a, sign, b)

    def _inside(self, a: Sql, container: Node) -> tuple[str, str]:
        """Whether it is inside, and whether that can be asked."""
        if isinstance(container, ListOf):
            equals = [equal(a, self.value(item)) for item in container.items]
            return f"({' OR '.join(equals)})" if equals else "false", f"({a.text} IS NOT NULL)"
        return inside(a, self.value(container))

    def _calculated(self, before: str, step: tuple[str, Node]) -> str:
        sign, operand = step
        value = number(self.value(operand))
        if sign == "%":
            return f"kairos_modulo({before}, {value})"
        return f"kairos_finite({_CALCULATE[sign].format(before, value)})"

    # ------------------------------------------------------------------------------------------------------- functions
    def _call(self, node: Call) -> Sql:
        name = node.function
        if name == "in_crowd":
            assert isinstance(node.arguments[0], Literal)
            return self._columns.in_crowd(str(node.arguments[0].value))
        if name in ("hour", "weekday", "date", "days_since"):
            return self._of_time(name, node.arguments[0])
        arguments = [self.value(argument) for argument in node.arguments]
        first = arguments[0]
        match name:
            case "exists":
                return Sql("boolean", f"({first.text} IS NOT NULL)")
            case "coalesce":
                kind, parts = one_kind(arguments)
                return Sql(kind, f"coalesce({', '.join(parts)})")
            case "len":
                return Sql("number", f"CAST(kairos_length({as_json(first)}) AS DOUBLE)")
            case "lower" | "upper":
                return Sql("text", f"{name}({text(first)})")
            case "abs":
                return Sql("number", f"abs({number(first)})")
            case "round":
                return Sql("number", rounded(number(first), node.arguments[1:]))
            case "contains":
                return Sql("boolean", inside(arguments[1], first)[0])
        return Sql("boolean", predicate(name, text(first), text(arguments[1])))

    def _of_time(self, name: str, argument: Node) -> Sql:
        """Of a number or `event.time`. A text's time is told by the rules only."""
        if isinstance(argument, Literal) and isinstance(argument.value, str):
            raise NotInSql(f"{name}() of a text is not asked of the warehouse")
        asked = self.value(argument)
        if asked.kind == "text":
            raise NotInSql(f"{name}() of a text is not asked of the warehouse")
        time = number(asked)
        local = f"({time} + {self._columns.offset(time)})"
        days = f"floor({local} / 8.64e7)"
        match name:
            case "hour":
                return Sql("number", f"floor(({local} - {days} * 8.64e7) / 3.6e6)")
            case "weekday":
                return Sql("number", f"kairos_modulo({days} + 3e0, 7e0)")  # 1970-01-01 was a Thursday
            case "date":
                raise NotInSql("date() is not asked of the warehouse")
        now = number(self._columns.field("event", "time"))
        return Sql("number", f"floor(({now} + {self._columns.offset(now)} - {local}) / 8.64e7)")
