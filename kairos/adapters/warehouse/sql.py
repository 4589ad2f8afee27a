"""SQL in DuckDB's dialect: put into Trino's, with values in place of `$name`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from kairos.adapters.warehouse.functions import expanded
from kairos.adapters.warehouse.port import Parameters, QueryError, Value
from kairos.engine.warehouse.select import SqlProblem, parsed


def parse(sql: str) -> exp.Expression:
    """One statement. Raises QueryError."""
    tree = parsed(sql)
    if isinstance(tree, SqlProblem):
        raise QueryError(tree.message)
    return tree


def to_trino(sql: str, parameters: Parameters) -> str:
    """Raises QueryError."""
    return expanded(bound(parse(sql), parameters)).sql(dialect="trino")


def bound(tree: exp.Expression, parameters: Parameters) -> exp.Expression:
    """With literals in place of `$name`. `x IN $names` of no names is false. Raises QueryError."""
    for test in list(tree.find_all(exp.In)):
        field = test.args.get("field")
        if isinstance(field, exp.Placeholder):
            values = _value(field, parameters)
            if not isinstance(values, Sequence) or isinstance(values, str):
                raise QueryError(f"${field.name}: a list is expected after IN")
            found = exp.In(this=test.this, expressions=[_literal(value) for value in values])
            test.replace(found if values else exp.false())
    for place in list(tree.find_all(exp.Placeholder)):
        value = _value(place, parameters)
        if isinstance(value, Sequence) and not isinstance(value, str):
            place.replace(exp.Array(expressions=[_literal(element) for element in value]))
        else:
            place.replace(_literal(value))
    return tree


def _value(place: exp.Placeholder, parameters: Parameters) -> Value | Sequence[Value]:
    if place.name not in parameters:
        raise QueryError(f"no value is given for ${place.name or '?'}")
    return parameters[place.name]


def _literal(value: Value) -> exp.Expr:
    if isinstance(value, float):
        return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
    return exp.convert(value)
