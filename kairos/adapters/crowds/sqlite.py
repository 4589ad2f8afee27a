"""Snapshots in a file of SQLite: where there is no server, for one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kairos.adapters.crowds.port import CrowdStoreError, Live, Span
from kairos.adapters.database.sqlite_file import open_file, transaction

_TABLES = """
CREATE TABLE IF NOT EXISTS live (crowd TEXT PRIMARY KEY, n INTEGER, at INTEGER, as_of INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (user_id TEXT, crowd TEXT, from_n INTEGER, to_n INTEGER,
                                    PRIMARY KEY (user_id, crowd)) WITHOUT ROWID;
"""


class SqliteCrowds:
    """Raises CrowdStoreError where the file cannot be opened. `members` is for readers: from one moment, all of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._said():
            self._connection = open_file(path, _TABLES)

    def live(self) -> Mapping[str, Live]:
        with self._said():
            rows = self._connection.execute("SELECT crowd, n, at, as_of FROM live").fetchall()
        return {crowd: Live(n, at, as_of) for crowd, n, at, as_of in rows}

    def stage(self, crowd: str, spans: Iterable[Span]) -> None:
        rows = ((span.user_id, crowd, span.from_n, span.to_n) for span in spans)
        with self._said(), transaction(self._connection, "BEGIN"):
            self._connection.executemany("INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?)", rows)

    def unstage(self, crowd: str, n: int, users: Iterable[str]) -> None:
        keys = [(crowd, user, n) for user in users]
        of_user = "WHERE crowd = ? AND user_id = ? AND"
        with self._said(), transaction(self._connection, "BEGIN"):
            self._connection.executemany(f"DELETE FROM members {of_user} from_n = ?", keys)
            self._connection.executemany(f"UPDATE members SET to_n = NULL {of_user} to_n = ?", keys)

    def flip(self, crowd: str, live: Live) -> None:
        with self._said():
            self._connection.execute("INSERT OR REPLACE INTO live VALUES (?, ?, ?, ?)", (crowd, *live))

    def spans(self, crowd: str) -> Iterator[Span]:
        with self._said():
            rows = self._connection.execute("SELECT user_id, from_n, to_n FROM members WHERE crowd = ?", (crowd,))
            yield from (Span(*row) for row in rows.fetchall())

    def memberships(self, user: str) -> tuple[Mapping[str, int], list[str]]:
        """(live numbers, crowds of this user), as of one moment."""
        with self._said(), transaction(self._connection, "BEGIN"):
            numbers = {crowd: live.n for crowd, live in self.live().items()}
            rows = self._connection.execute("SELECT crowd, from_n, to_n FROM members WHERE user_id = ?", (user,))
            spans = [(crowd, Span(user, from_n, to_n)) for crowd, from_n, to_n in rows.fetchall()]
        return numbers, [crowd for crowd, span in spans if crowd in numbers and span.holds(numbers[crowd])]

    def forget(self, user_id: str) -> int:
        """Whatever is kept of this user; how many crowds that was."""
        with self._said():
            return self._connection.execute("DELETE FROM members WHERE user_id = ?", (user_id,)).rowcount

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise CrowdStoreError(f"{self._path}: {error}") from None
