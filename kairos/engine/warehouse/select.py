"""What somebody may ask of the warehouse: one SELECT over its tables in DuckDB's dialect, and nothing beside them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, ParseError, SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

WRITTEN_IN = "duckdb"
_ROW_FUNCTIONS = ("UNNEST", "GENERATE_SERIES", "RANGE")
_OUTSIDE = frozenset({"getenv", "getvariable", "current_setting", "query", "query_table", "read_text", "read_blob"})
"""Functions that look at more than the rows they are given."""
_LARGEST_SMALL = 2**31 - 1
Schema = Mapping[str, Mapping[str, str] | None]
"""Table -> column -> type; None: nobody knows its columns."""


class SqlProblem(msgspec.Struct, frozen=True):
    """`line` and `column` count from 1."""

    message: str
    hint: str | None = None
    line: int = 1
    column: int = 1


def parsed(sql: str) -> exp.Expression | SqlProblem:
    """One statement."""
    try:
        found = sqlglot.parse(sql, dialect=WRITTEN_IN)
        statements = [statement for statement in found if not isinstance(statement, exp.Semicolon | None)]
    except ParseError as error:
        said = error.errors[0] if error.errors else {}
        place = (said.get("line") or 1, said.get("col") or 1)
        what = re.sub(r" but got <Token.*| ?<Token.*", "", said.get("description") or str(error).splitlines()[0])
        return SqlProblem(f"not SQL: {what}", None, *place)
    except (SqlglotError, RecursionError) as error:
        return SqlProblem(f"not SQL: {str(error).splitlines()[0]}")
    if len(statements) != 1 or not isinstance(statements[0], exp.Expression):
        return SqlProblem("one statement is expected")
    return statements[0]


def problems_of(tree: exp.Expr, tables: Iterable[str]) -> Iterator[SqlProblem]:
    """What makes it more than a SELECT over these tables."""
    if not isinstance(tree, exp.Query):
        yield _only_select(tree)
        return
    for writing in tree.find_all(exp.DML, exp.DDL, exp.Command, exp.Into):
        if not isinstance(writing, exp.Query):
            yield _only_select(writing)
    known = {*tables, *(cte.alias.lower() for cte in tree.find_all(exp.CTE))}
    for table in tree.find_all(exp.Table):
        yield from _of_table(table, known)
    for function in tree.find_all(exp.Anonymous):
        if function.name.lower() in _OUTSIDE:
            yield _looks_beyond(function.name, function)


def column_problems(tree: exp.Query, schema: Schema) -> Iterator[SqlProblem]:
    """Columns that do not exist. Nothing is said where the columns of one of its tables are not known."""
    if any(schema.get(table.name.lower(), {}) is None for table in tree.find_all(exp.Table)):
        return
    known = {name: dict(columns or {}) for name, columns in schema.items()}
    try:
        whole = _qualified(tree, known)
    except OptimizeError as error:
        yield _unknown(tree, str(error), known)
        return
    for scope in traverse_scope(whole):
        names = _selects(scope) if isinstance(scope.expression, exp.SetOperation) else set()
        for column in scope.columns:
            if not column.table and column.name not in names:
                yield _no_column(column, _columns_of(scope, known))


def overflow_problems(tree: exp.Expr) -> Iterator[SqlProblem]:
    """Products of small numbers, as of days and milliseconds, that have no room in 32 bits: they end the query."""
    for product in tree.find_all(exp.Mul):
        factors = [_small(side) for side in (product.left, product.right)]
        if None not in factors and (whole := (factors[0] or 0) * (factors[1] or 0)) > _LARGEST_SMALL:
            yield _at(
                tree, f"{product.sql(dialect=WRITTEN_IN)} overflows: it is made of small numbers", f"write {whole}"
            )


def _small(node: exp.Expr) -> int | None:
    """The value of an integer of 32 bits, or of a product of such."""
    if isinstance(node, exp.Paren):
        return _small(node.this)
    if isinstance(node, exp.Mul):
        left, right = _small(node.left), _small(node.right)
        whole = None if left is None or right is None else left * right
    else:
        whole = int(node.name) if isinstance(node, exp.Literal) and node.is_int else None
    return whole if whole is not None and whole <= _LARGEST_SMALL else None


def selected(tree: exp.Query, schema: Schema) -> list[str] | None:
    """The names of the columns that it gives; None where a `*` hides them."""
    if tree.is_star:
        known = {name: dict(columns or {}) for name, columns in schema.items()}
        try:
            tree = _qualified(tree, known)
        except OptimizeError:
            return None
    return None if tree.is_star else [name.lower() for name in tree.named_selects]


def _qualified(tree: exp.Query, schema: Mapping[str, Mapping[str, str]]) -> exp.Query:
    """With each column's table, where it is known, and each `*` written out. Raises OptimizeError."""
    known: dict[str, object] = dict(schema)
    options: dict[str, Any] = {"validate_qualify_columns": False, "quote_identifiers": False}
    whole = qualify(tree.copy(), dialect=WRITTEN_IN, schema=known, **options)
    assert isinstance(whole, exp.Query)
    return whole


def _only_select(tree: exp.Expr) -> SqlProblem:
    word = str(tree.this).split()[0].upper() if isinstance(tree, exp.Command) and tree.this else tree.key.upper()
    return _at(tree, f"only SELECT is possible, not {word}: nothing here changes the warehouse")


def _of_table(table: exp.Table, known: set[str]) -> Iterator[SqlProblem]:
    if isinstance(table.this, exp.Func):
        call = table.this
        if call.sql_name() not in _ROW_FUNCTIONS:
            yield _looks_beyond(call.name if isinstance(call, exp.Anonymous) else call.sql_name().lower(), call)
    elif table.db or table.name.lower() not in known:
        near = difflib.get_close_matches(table.name.lower(), sorted(known), n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(sorted(known))}"
        yield _at(table, f"there is no table '{table.sql()}'", hint)


def _looks_beyond(name: str, node: exp.Expr) -> SqlProblem:
    return _at(node, f"the function '{name}' is not possible: it looks beyond the warehouse's tables")


def _unknown(tree: exp.Expr, said: str, schema: Mapping[str, Mapping[str, str]]) -> SqlProblem:
    """qualify names the column, and not where it stands."""
    found = re.search(r"column:? '?\"?(\w+)", said, re.IGNORECASE)
    name = found.group(1).lower() if found else ""
    for column in tree.find_all(exp.Column):
        if column.name.lower() == name:
            tables = {table.alias_or_name.lower(): table.name.lower() for table in tree.find_all(exp.Table)}
            return _no_column(column, schema.get(tables.get(column.table.lower(), ""), {}))
    return SqlProblem(said.splitlines()[0])


def _no_column(column: exp.Column, known: Iterable[str]) -> SqlProblem:
    names = sorted(known)
    near = difflib.get_close_matches(column.name.lower(), names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names)}" if names else None
    if column.name.lower() in names:
        return _at(column, f"several tables have a column '{column.name}'", "say which one: events.user_id")
    return _at(column, f"there is no column '{column.name}' here", hint)


def _columns_of(scope: Scope, schema: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Of all that it selects from."""
    found: set[str] = set()
    for source in scope.sources.values():
        if isinstance(source, Scope):
            found |= _selects(source)
        elif isinstance(source, exp.Table):
            found |= set(schema.get(source.name.lower(), ()))
    return found


def _selects(scope: Scope) -> set[str]:
    return set(scope.expression.named_selects) if isinstance(scope.expression, exp.Query) else set()


def _at(node: exp.Expr, message: str, hint: str | None = None) -> SqlProblem:
    """Where the first name in it stands: only names know their places. `col` is that of their last character."""
    for part in node.walk():
        if line := part.meta.get("line"):
            length = part.meta["end"] - part.meta["start"]
            return SqlProblem(message, hint, line, max(1, part.meta["col"] - length))
    return SqlProblem(message, hint)
