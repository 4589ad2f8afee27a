"""Entries in one file of SQLite, found by FTS5: no server, and ten million of them are answered in milliseconds.

The number of an entry holds the time of its decision above a hash of its key, so that what comes later lies at the end,
the newest is found first, and what is too old is one range.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from kairos.adapters.search.port import Entry, Hit, Kind, SearchError

KINDS: tuple[Kind, ...] = ("people", "decisions")
AT_ONCE = 20_000
BUSY_SECONDS = 30.0
_TIME_BITS, _HASH_BITS = 20, 41
"""Times in one number are equal where they are in the same 2^20 ms, 17 minutes; of a million entries in these, one pair
in four such times would share a number."""
_TOKEN = "-_.@+:#/=|~&%$!?*"
"""Characters that are inside of a term, beside letters and digits."""
_T = TypeVar("_T")


class SqliteSearch:
    """`path`: its file, made where there is none. One process at a time writes; others read meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._guarded(lambda: _open(path))

    def put(self, entries: Iterable[Entry]) -> None:
        self._guarded(lambda: _put(self._connection, entries))

    def replace(self, entries: Iterable[Entry]) -> int:
        """In a file beside it, which then takes its place."""
        return self._guarded(lambda: self._replace(entries))

    def _replace(self, entries: Iterable[Entry]) -> int:
        draft = self._path.with_name(f"{self._path.name}.draft")
        for file in _files(draft):
            file.unlink(missing_ok=True)
        connection = _open(draft)
        try:
            connection.execute("PRAGMA synchronous=OFF")
            count = _fill(connection, entries)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")
        finally:
            connection.close()
        self._connection.close()
        for file in _files(self._path)[1:]:
            file.unlink(missing_ok=True)
        os.replace(draft, self._path)
        self._connection = _open(self._path)
        return count

    def find(self, terms: Sequence[str], most: int) -> list[Hit]:
        asked = " OR ".join(_quoted(term) for term in terms if _quoted(term))
        if not asked:
            return []
        hits = self._guarded(lambda: [hit for kind in KINDS for hit in self._found(kind, asked, most)])
        return sorted(hits, key=lambda hit: (hit.kind != "people", -hit.at, hit.user_id))

    def _found(self, kind: Kind, asked: str, most: int) -> list[Hit]:
        sql = (
            f"SELECT e.user_id, e.at, e.about FROM (SELECT rowid AS id FROM {kind}_words WHERE {kind}_words MATCH ? "
            f"ORDER BY rowid DESC LIMIT ?) w JOIN {kind} e ON e.id = w.id"
        )
        return [Hit(kind, *row) for row in self._connection.execute(sql, (asked, most))]

    def forget(self, user_id: str) -> int:
        return self._guarded(lambda: sum(_remove(self._connection, kind, user_id) for kind in KINDS))

    def trim(self, before: int) -> None:
        self._guarded(lambda: _delete(self._connection, "decisions", "id < ?", (_floor(before),)))

    def close(self) -> None:
        self._connection.close()

    def _guarded(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except (sqlite3.Error, OSError) as error:
            raise SearchError(f"the search store {self._path}: {error}") from None


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    if new:
        os.chmod(path, 0o600)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA cache_size=-65536")
    for kind in KINDS:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {kind} (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, at INTEGER NOT NULL, "
            "terms TEXT NOT NULL, about TEXT NOT NULL)"
        )
        connection.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {kind}_words USING fts5(terms, content='{kind}', content_rowid='id', "
            f"tokenize=\"unicode61 remove_diacritics 0 tokenchars '{_TOKEN}'\")"
        )
    return connection


def _files(path: Path) -> list[Path]:
    return [path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")]


def _fill(connection: sqlite3.Connection, entries: Iterable[Entry]) -> int:
    """Into an empty store: words are looked at once, at the end, which takes a fraction of the time."""
    rows, count = iter(entries), 0
    while batch := list(islice(rows, AT_ONCE)):
        count += len(batch)
        connection.execute("BEGIN")
        for kind in KINDS:
            values = ((number_of(e), e.user_id, e.at, _joined(e.terms), e.about) for e in batch if e.kind == kind)
            connection.executemany(f"INSERT OR REPLACE INTO {kind} VALUES (?, ?, ?, ?, ?)", values)
        connection.execute("COMMIT")
    for kind in KINDS:
        connection.execute(f"INSERT INTO {kind}_words ({kind}_words) VALUES ('rebuild')")
    return count


def _put(connection: sqlite3.Connection, entries: Iterable[Entry]) -> int:
    """What is there as it comes is left alone; what is there otherwise is put anew."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS incoming (kind TEXT, id INTEGER, user_id TEXT, at INTEGER, terms TEXT, "
        "about TEXT, PRIMARY KEY (kind, id))"
    )
    rows, count = iter(entries), 0
    while batch := list(islice(rows, AT_ONCE)):
        count += len(batch)
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("DELETE FROM incoming")
            values = ((e.kind, number_of(e), e.user_id, e.at, _joined(e.terms), e.about) for e in batch)
            connection.executemany("INSERT OR REPLACE INTO incoming VALUES (?, ?, ?, ?, ?, ?)", values)
            for kind in KINDS:
                _settle(connection, kind)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    return count


def _settle(connection: sqlite3.Connection, kind: Kind) -> None:
    mine = f"SELECT id, user_id, at, terms, about FROM incoming WHERE kind = '{kind}'"
    connection.execute(
        f"DELETE FROM incoming WHERE kind = '{kind}' AND EXISTS (SELECT 1 FROM {kind} e WHERE e.id = incoming.id "
        "AND e.terms = incoming.terms AND e.about = incoming.about AND e.user_id = incoming.user_id)"
    )
    connection.execute(
        f"INSERT INTO {kind}_words ({kind}_words, rowid, terms) SELECT 'delete', id, terms FROM {kind} "
        f"WHERE id IN (SELECT id FROM incoming WHERE kind = '{kind}')"
    )
    connection.execute(f"INSERT OR REPLACE INTO {kind} {mine}")
    connection.execute(f"INSERT INTO {kind}_words (rowid, terms) SELECT id, terms FROM ({mine})")


def _remove(connection: sqlite3.Connection, kind: Kind, user_id: str) -> int:
    """Of this user alone: every entry has her id among its terms."""
    found = f"SELECT rowid FROM {kind}_words WHERE {kind}_words MATCH ?"
    return _delete(connection, kind, f"id IN ({found}) AND user_id = ?", (_quoted(user_id), user_id))


def _delete(connection: sqlite3.Connection, kind: Kind, where: str, values: tuple[object, ...]) -> int:
    ids = [id_ for (id_,) in connection.execute(f"SELECT id FROM {kind} WHERE {where}", values)]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        f"INSERT INTO {kind}_words ({kind}_words, rowid, terms) SELECT 'delete', id, terms FROM {kind} WHERE id = ?",
        ((id_,) for id_ in ids),
    )
    connection.executemany(f"DELETE FROM {kind} WHERE id = ?", ((id_,) for id_ in ids))
    connection.execute("COMMIT")
    return len(ids)


def number_of(entry: Entry) -> int:
    digest = hashlib.blake2b(entry.key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    whole = int.from_bytes(digest, "big")
    return whole >> 1 if entry.kind == "people" else _floor(entry.at) | whole >> (64 - _HASH_BITS)


def _floor(at: int) -> int:
    """The smallest number of this time."""
    return at >> _TIME_BITS << _HASH_BITS


def _joined(terms: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(filter(None, map(_one_word, terms))))


def _one_word(term: str) -> str:
    return "_".join(term.lower().split())


def _quoted(term: str) -> str:
    """As FTS5 takes a text; "" where nothing of it is a letter or a digit."""
    word = _one_word(term)
    return '"' + word.replace('"', '""') + '"' if any(letter.isalnum() for letter in word) else ""
