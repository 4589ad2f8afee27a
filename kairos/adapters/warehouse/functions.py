"""Kairos' own SQL functions: macros for DuckDB, put in place of their calls for Trino."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import sqlglot
from sqlglot import exp

from kairos.engine.expression.sql.functions import SQL_FUNCTIONS


def macros() -> Iterator[str]:
    """Statements that make DuckDB know them, in an order in which none calls a later one."""
    for name, function in SQL_FUNCTIONS.items():
        yield f"CREATE MACRO {name}({', '.join(function.parameters)}) AS {function.duckdb}"


def expanded(tree: exp.Expression) -> exp.Expression:
    """With each call replaced by what it stands for in Trino."""
    while call := next((node for node in tree.find_all(exp.Anonymous) if node.name.lower() in SQL_FUNCTIONS), None):
        body = _body(call.name.lower()).copy()
        arguments = dict(zip(SQL_FUNCTIONS[call.name.lower()].parameters, call.expressions, strict=True))
        for column in list(body.find_all(exp.Column)):
            if not column.table and column.name in arguments:
                column.replace(exp.paren(arguments[column.name].copy()))
        if call is tree:
            return expanded(body)
        call.replace(body)
    return tree


@lru_cache
def _body(name: str) -> exp.Expression:
    return exp.paren(sqlglot.parse_one(SQL_FUNCTIONS[name].trino, dialect="trino"))
