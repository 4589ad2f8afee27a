"""A kept crowd as one SELECT of user_id, nested sets and all: what of it can be asked of an engine of SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import TokenType, tokenize

from kairos.engine.crowd.past import Past, everyone_sql, members_sql, ranked_sql
from kairos.engine.crowd.spec import (
    Crowd,
    HistoryCrowd,
    Limit,
    Lookalike,
    Members,
    Sample,
    SetCrowd,
    SqlCrowd,
    parts_of,
)
from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.warehouse.select import WRITTEN_IN
from kairos.engine.warehouse.tables import TABLES

_OPERATIONS = {"union": "UNION", "intersect": "INTERSECT", "difference": "EXCEPT"}
AS_OF = "as_of_ms"
"""`$as_of_ms` in SQL crowds."""
Part = Callable[[str], str]
"""Name of a crowd -> a SELECT of its members."""


class NotComputedError(Exception):
    """A crowd whose members no SELECT gives; the message says why."""


def select_of(crowd: str | Crowd, past: Past) -> str:
    """A SELECT of user_id, each once. Of names `past.crowd` tells the members. Raises NotComputedError, NotInSql."""
    match crowd:
        case str():
            return past.crowd(crowd)
        case Members(users=users) if users is not None:
            return _listed(users)
        case HistoryCrowd(where=where):
            return members_sql(where, past)
        case SqlCrowd():
            return _of_sql(crowd, past)
        case SetCrowd(operation=operation, parts=parts):
            joint = f" {_OPERATIONS[operation]} "
            return joint.join(f"SELECT user_id FROM ({select_of(part, past)}) s" for part in parts)
        case Limit(count=count, of=of, by=by) if by is not None:
            return ranked_sql(everyone_sql(past) if of is None else select_of(of, past), by, count, past)
    raise NotComputedError("a hash decides who is in it, which no engine of SQL computes")


def is_drawn(crowd: str | Crowd, crowds: Mapping[str, Crowd], is_fixed: Callable[[str], bool]) -> bool:
    """Whether a hash of Kairos decides somewhere in it, so that one SELECT alone cannot.

    `is_fixed`: of a named crowd, whether its members are there already.
    """
    if isinstance(crowd, str):
        return not is_fixed(crowd) and is_drawn(crowds[crowd], crowds, is_fixed)
    if isinstance(crowd, Sample) or (isinstance(crowd, Limit) and crowd.by is None):
        return True
    return not isinstance(crowd, Lookalike) and any(is_drawn(part, crowds, is_fixed) for part in parts_of(crowd))


def snapshot_sql(name: str) -> str:
    """The members of the live snapshot."""
    return f"SELECT user_id FROM crowd_members WHERE crowd = {quoted(name)} AND to_n IS NULL"


def _listed(users: tuple[str, ...]) -> str:
    if not users:
        return "SELECT user_id FROM profiles WHERE false"
    rows = ", ".join(f"({quoted(user)})" for user in dict.fromkeys(users))
    return f"SELECT user_id FROM (VALUES {rows}) AS listed(user_id)"


def _of_sql(crowd: SqlCrowd, past: Past) -> str:
    """Each table holds only rows up to as_of."""
    bounded = [
        f"{table.name} AS (SELECT * FROM {table.name} WHERE {table.time} <= {past.as_of})"
        for table in TABLES.values()
        if table.time
    ]
    tables = ", ".join([*bounded, *([f"rfm AS ({past.rfm})"] if "rfm" in crowd.text.lower() else [])])
    text = _with_as_of(crowd.text, past.as_of)
    rows = f"SELECT DISTINCT CAST(q.user_id AS VARCHAR) AS user_id FROM (\n{text}\n) q WHERE q.user_id IS NOT NULL"
    return f"SELECT user_id FROM (WITH {tables} {rows}) c"


def _with_as_of(text: str, as_of: int) -> str:
    """The statement alone, with the time in place of `$as_of_ms`."""
    parts: list[str] = []
    at = 0
    tokens = tokenize(text, read=WRITTEN_IN)
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.token_type == TokenType.SEMICOLON:
            return "".join([*parts, text[at : token.start]])
        if token.token_type == TokenType.PARAMETER and after is not None and after.text.lower() == AS_OF:
            parts += [text[at : token.start], str(as_of)]
            at = after.end + 1
    return "".join([*parts, text[at:]])
