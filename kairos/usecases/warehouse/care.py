"""`kairos warehouse forget | trim | compact`: nobody who wants to be forgotten, no days too old, few files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.warehouse.change import Change, changing
from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.merge import DAY_MS, Merge, Merged
from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.warehouse.tables import CALLS, PARTITION, TABLES, Table
from kairos.usecases.control.deeds import begin
from kairos.usecases.control.rights import Actor

MANY = 8
"""So many files of about the same size, of one day, become one."""


def compact(warehouse: Path) -> int:
    """How many files have become fewer ones. The answers are the same as before. Raises WarehouseError."""
    with changing(_present(warehouse)) as change:
        return compact_within(change)


def compact_within(change: Change) -> int:
    """The same for whoever is changing the warehouse already."""
    merge, total = Merge(change.folder, change.staging), Merged()
    try:
        for table, files in _crowded(change.folder):
            _add(total, merge.rewrite(table, files))
    finally:
        merge.close()
    change.commit(total.add, total.remove)
    return len(total.remove)


def forget(warehouse: Path, user: str) -> Counter[str]:
    """Removes all rows about this user; table -> how many. Raises WarehouseError."""
    with changing(_present(warehouse)) as change:
        keys = _ledger_keys(warehouse, user)
        merge, total, gone = Merge(change.folder, change.staging), Merged(), Counter[str]()
        try:
            for table in TABLES.values():
                column, values = ("key", keys) if table is CALLS else ("user_id", [user])
                if column in table.types and values:
                    removed = merge.without_rows(table, column, values)
                    gone[table.name] = -removed.rows
                    _add(total, removed)
        finally:
            merge.close()
        change.commit(total.add, total.remove)
        return +gone


def trim_by(warehouse: Path, keep: int, *, actor: Actor, now: int, log: str | None) -> list[str]:
    """`trim` by somebody. `log`: the rule store in whose log it stands, at `now` (epoch ms); None: in none. Raises
    NotAllowedError, RuleStoreError and WarehouseError."""
    begin(log, actor, "write", "trim_warehouse", "warehouse/days", now)
    return trim(warehouse, keep)


def trim(warehouse: Path, keep: int) -> list[str]:
    """Removes whole days that end more than `keep` ms before the newest event; their names, as `2026-11-02`.

    Raises WarehouseError.
    """
    with changing(_present(warehouse)) as change:
        return trim_within(change, keep)


def trim_within(change: Change, keep: int) -> list[str]:
    """The same for whoever is changing the warehouse already."""
    engine = open_engine(change.folder.path)
    try:
        newest = engine.query("SELECT max(time_ms) AS newest FROM events").rows[0][0]
    finally:
        engine.close()
    if newest is None:
        return []
    first = datetime.fromtimestamp((newest - keep) // DAY_MS * DAY_MS / 1000, UTC).date().isoformat()
    old = [path for path in change.folder.all_files() if _day(path) < first]
    change.commit({}, old)
    return sorted({_day(path) for path in old})


def _present(warehouse: Path) -> Folder:
    folder = Folder(warehouse)
    folder.read_lock().close()
    return folder


def _day(path: Path) -> str:
    """ "~" for a file of a table without days: later than all of them."""
    name, _, day = path.parent.name.partition("=")
    return day if name == PARTITION else "~"


def _crowded(folder: Folder) -> Iterable[tuple[Table, list[Path]]]:
    """Files of one day with sizes within a factor of eight. What was merged is larger, and stays alone for long."""
    for table in TABLES.values():
        alike: defaultdict[tuple[Path, int], list[Path]] = defaultdict(list)
        for path in folder.files(table) if table.time else ():
            alike[path.parent, path.stat().st_size.bit_length() // 3].append(path)
        yield from ((table, files) for files in alike.values() if len(files) >= MANY)


def _ledger_keys(warehouse: Path, user: str) -> list[str]:
    """The calls of a user are known by keys alone, which follow from what was decided and received."""
    engine = open_engine(warehouse)
    try:
        columns = "SELECT DISTINCT activity, occurrence, attempt FROM"
        sql = f"{columns} decisions WHERE user_id = $user UNION {columns} receipts WHERE user_id = $user"
        return [delivery_key(a, user, o, n) for a, o, n in engine.query(sql, {"user": user}).rows]
    finally:
        engine.close()


def _add(total: Merged, more: Merged) -> None:
    total.add.update(more.add)
    total.remove += more.remove
