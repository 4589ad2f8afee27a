"""Everything that an audit looks at, side by side in a scratch database: a million decisions need little memory.

Tables: `decisions` (all records; `won`: the group whose slot it has won), `sends` (the first record of each send, with
what became of it), `codes` (of coupons, that sends carry), `deliveries`, `ledger` and `calls` (as they were read).
`key` is the delivery's, for every decision of that attempt.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from kairos.adapters.delivery.ledger import Call, Row
from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.output.decision_log import Decided, HandedOver
from kairos.engine.decision import Record
from kairos.engine.rule.journey import journey_of

PoolsOf = Callable[[str], Mapping[str, str]]
_AT_ONCE = 5_000
_OWN = ("digest", "true_key", "won")
# Nothing here outlives the audit, so nothing is kept safe; 64 MB of it stay in memory.
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -65536;
CREATE TABLE decisions (key, outcome, user_id, at, activity, version, channel, occurrence, attempt, reason,
  degraded, digest, origin, template, won);
CREATE TABLE codes (key, pool, code, holder, user_id, UNIQUE (key, pool, code));
CREATE TABLE deliveries (key PRIMARY KEY, send_before, not_before, at, channel, version, template);
CREATE TABLE ledger (key, activity, user_id, occurrence, attempt, channel, state, worker, lease_until, calls,
  reserved_at, settled_at, provider_id, reason, true_key);
CREATE TABLE calls (key, number, worker, started_at, ended_at, outcome, reason);
"""
# `gone`: it has, or may have, reached the user. `open`: nobody has said yet what becomes of it.
_SEALED = """
CREATE INDEX decisions_by_key ON decisions (key, outcome);
CREATE INDEX ledger_by_key ON ledger (key);
CREATE INDEX calls_by_key ON calls (key, number);
CREATE TABLE sends AS
  SELECT d.key, d.user_id, d.at, d.activity, d.version, d.channel, d.occurrence, d.attempt, d.degraded,
    d.template, l.state,
    coalesce(l.state IN ('sent', 'unknown'), 0)
      OR EXISTS (SELECT 1 FROM calls c WHERE c.key = d.key AND c.outcome = 'accepted') AS gone,
    coalesce(l.state IN ('reserved', 'retry'), 1) AS open
  FROM decisions d LEFT JOIN ledger l ON l.rowid = (SELECT min(rowid) FROM ledger WHERE key = d.key)
  WHERE d.outcome = 'send'
    AND d.rowid = (SELECT min(rowid) FROM decisions first WHERE first.key = d.key AND first.outcome = 'send');
CREATE INDEX sends_by_key ON sends (key);
CREATE INDEX sends_by_occurrence ON sends (activity, user_id, occurrence);
"""


class Book:
    """Filled by the `add_` methods, then sealed, then asked. Close it to be rid of the scratch file."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")  # a private file that vanishes; small ones stay in memory
        self._db.executescript(_TABLES)

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add_decisions(self, decisions: Iterable[Decided], pools_of: PoolsOf = lambda _version: {}) -> None:
        """`pools_of`: the version of an activity -> the names in its `data` that are codes, and their pools."""
        decisions = iter(decisions)
        while chunk := list(islice(decisions, _AT_ONCE)):
            self._insert("decisions", 15, map(_decision, chunk))
            self._insert("codes", 5, [row for decided in chunk for row in _codes(decided.record, pools_of)])

    def add_deliveries(self, deliveries: Iterable[HandedOver]) -> None:
        self._insert("deliveries", 7, map(_delivery, deliveries))

    def add_ledger(self, rows: Iterable[Row]) -> None:
        """`true_key` is the one that the row's own columns come to."""
        values = ((*_values(r), delivery_key(r.activity, r.user_id, r.occurrence, r.attempt)) for r in rows)
        self._insert("ledger", 15, values)

    def add_calls(self, calls: Iterable[Call]) -> None:
        self._insert("calls", 7, map(_values, calls))

    def seal(self) -> None:
        self._db.executescript(_SEALED)

    def ask(self, question: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        return iter(self._db.execute(question, values))

    def number(self, question: str, *values: Any) -> int:
        """The one number that answers it."""
        return int(self._db.execute(question, values).fetchone()[0])

    def rows(self, table: str, key: str) -> list[dict[str, Any]]:
        """What a table has of one key, for evidence; without what only the audit itself has added."""
        cursor = self._db.execute(f"SELECT * FROM {table} WHERE key = ? ORDER BY rowid", (key,))
        names = [column[0] for column in cursor.description]
        named = (dict(zip(names, row, strict=True)) for row in cursor)
        return [{n: v for n, v in row.items() if n not in _OWN and v is not None} for row in named]

    def _insert(self, table: str, columns: int, values: Iterable[Sequence[Any]]) -> None:
        """The first delivery of a key stays: what follows is a repetition."""
        command = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * columns)})"
        values = iter(values)
        while chunk := list(islice(values, _AT_ONCE)):
            self._db.executemany(command, chunk)


def _decision(decided: Decided) -> tuple[Any, ...]:
    record, attempt = decided.record, decided.record.attempt or 1
    return (
        delivery_key(record.activity, record.user_id, record.occurrence, attempt),
        record.outcome,
        record.user_id,
        record.at,
        record.activity,
        record.version,
        record.channel,
        record.occurrence,
        attempt,
        record.reason,
        True if record.degraded is True else None,
        decided.digest,
        decided.origin,
        record.template,
        record.choice.group if record.choice and record.choice.won else None,
    )


def _codes(record: Record, pools_of: PoolsOf) -> Iterator[tuple[str, str, str, str, str]]:
    """Of the first record of a key, as of the sends: a repetition carries the same."""
    if record.outcome != "send":
        return
    key = delivery_key(record.activity, record.user_id, record.occurrence, record.attempt or 1)
    holder = f"{journey_of(record.activity)}/{record.occurrence}/{record.user_id}"
    for name, pool in pools_of(record.version).items():
        code = record.data.get(name)
        if isinstance(code, str):
            yield key, pool, code, holder, record.user_id


def _delivery(delivery: HandedOver) -> tuple[Any, ...]:
    key = delivery_key(delivery.activity, delivery.user_id, delivery.occurrence, delivery.attempt)
    limits = (delivery.send_before, delivery.not_before)
    return (key, *limits, delivery.at, delivery.channel, delivery.version, delivery.template)


def _values(row: Row | Call) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in row.__struct_fields__)
