"""Everything that an audit looks at, side by side in a scratch database: a million decisions need little memory.

Tables: `decisions` (all records), `sends` (the first record of each send, with what became of it), `deliveries`,
`ledger` and `calls` (as they were read). `key` is the delivery's, for every decision of that attempt.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from kairos.adapters.decision_log import Decided, HandedOver
from kairos.adapters.delivery_tables import delivery_key
from kairos.adapters.ledger import Call, Row

_AT_ONCE = 5_000
_OWN = ("digest", "true_key")
# Nothing here outlives the audit, so nothing is kept safe; 64 MB of it stay in memory.
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -65536;
CREATE TABLE decisions (key, outcome, user_id, at, activity, version, channel, occurrence, attempt, reason,
  degraded, digest, origin);
CREATE TABLE deliveries (key PRIMARY KEY, send_before);
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
    l.state,
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

    def add_decisions(self, decisions: Iterable[Decided]) -> None:
        self._insert("decisions", 13, map(_decision, decisions))

    def add_deliveries(self, deliveries: Iterable[HandedOver]) -> None:
        keyed = ((delivery_key(d.activity, d.user_id, d.occurrence, d.attempt), d.send_before) for d in deliveries)
        self._insert("deliveries", 2, keyed)

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
    )


def _values(row: Row | Call) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in row.__struct_fields__)
