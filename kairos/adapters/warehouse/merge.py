"""New rows into a table whose key is unique: of rows with one key the smallest (time, JSON text) stays.

Nearly all rows that come are new. So rows are first compared by hashes, 16 bytes each, and only those whose key is met
twice are looked at as a whole: what it takes depends little on how large a table is already.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import duckdb

from kairos.adapters.warehouse.duckdb import MEMORY, connect, quoted, source
from kairos.adapters.warehouse.folder import Folder, next_place
from kairos.adapters.warehouse.port import WarehouseError
from kairos.engine.warehouse.tables import PARTITION, Table

DAY_MS = 86_400_000
ROW_GROUP = 122_880


class Merged:
    """`add`: file in staging -> its place; `remove`: files that have been replaced. `rows`: how many are new."""

    def __init__(self) -> None:
        self.add: dict[Path, Path] = {}
        self.remove: list[Path] = []
        self.rows = 0


class Merge:
    """`staging`: where files are written. `without`: files that do not count any more. Raises WarehouseError and
    OSError."""

    def __init__(self, folder: Folder, staging: Path, *, without: Iterable[Path] = (), memory: str = MEMORY) -> None:
        self._folder = folder
        self._without = frozenset(without)
        self._staging = staging
        self._places: set[Path] = set()
        self._connection = connect(staging / "spill", memory)
        # Rows of a table have no order, and to keep one costs memory.
        self._connection.execute("SET preserve_insertion_order=false")

    def close(self) -> None:
        self._connection.close()

    def merge(self, table: Table, incoming: Path) -> Merged:
        """The rows of a Parquet file, which has the table's columns, into the table."""
        result = Merged()
        add = self._append if table.time else self._replace
        self._guarded(lambda: add(table, incoming, result))
        return result

    def rewrite(self, table: Table, files: Sequence[Path]) -> Merged:
        """These files of one day as one."""
        result = Merged()
        self._guarded(lambda: self._write(table, source(table, files), result))
        result.remove = list(files)
        return result

    def without_rows(self, table: Table, column: str, values: Sequence[str]) -> Merged:
        """Without the rows in which the column has one of these values; `rows` is minus their number."""
        result = Merged()
        self._guarded(lambda: self._leave_out(table, column, values, result))
        return result

    def _leave_out(self, table: Table, column: str, values: Sequence[str], result: Merged) -> None:
        meant = f"{column} IN ({', '.join(quoted(value) for value in values)})"
        present = source(table, self._files(table), filename=True)
        found = f"SELECT filename, count(*) FROM ({present}) WHERE {meant} GROUP BY filename ORDER BY filename"
        for name, count in self._connection.execute(found).fetchall():
            result.rows -= count
            result.remove.append(Path(name))
            self._write(table, f"SELECT * FROM ({source(table, [Path(name)])}) WHERE NOT ({meant})", result)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except duckdb.Error as error:
            raise _refused(error) from None

    def _append(self, table: Table, incoming: Path, result: Merged) -> None:
        self._find_fresh(table, incoming)
        replaced = self._settle(table, incoming)
        result.rows = self._number("SELECT count(*) FROM fresh")
        if result.rows:
            rows = f"FROM {numbered(incoming)} SEMI JOIN fresh USING (file_row_number)"
            self._write(table, rows, result)
        for file in replaced:
            self._without_losers(table, file, result)
        for name in ("fresh", "met", "losers"):
            self._connection.execute(f"DROP TABLE {name}")

    def _replace(self, table: Table, incoming: Path, result: Merged) -> None:
        """A table without a time is small: it is written anew, where anything of it changes. Of two rows with one key
        the new one stays where the table is `typed`, else the smaller."""
        files, new = self._files(table), f"SELECT *, true AS new FROM read_parquet({quoted(incoming)})"
        old = f"SELECT *, false AS new FROM ({source(table, files)})"
        rank = "new DESC" if table.typed else f"{_order(table)}, new"
        best = (
            f"SELECT * FROM ({new} UNION ALL BY NAME {old}) QUALIFY row_number() "
            f"OVER (PARTITION BY {', '.join(table.key)} ORDER BY {rank}) = 1"
        )
        result.rows = self._number(f"SELECT count(*) FROM ({best})") - self._number(f"SELECT count(*) FROM ({old})")
        if self._number(f"SELECT count(*) FROM ({best}) WHERE new"):
            self._write(table, f"SELECT * EXCLUDE (new) FROM ({best}) ORDER BY {', '.join(table.key)}", result)
            result.remove = files

    def _find_fresh(self, table: Table, incoming: Path) -> None:
        """Table `fresh`: numbers of rows that the table does not have as they are. Table `met`: hashes of keys that
        the table has, in which file."""
        files = self._files(table)
        run = self._connection.execute
        run(
            f"CREATE TABLE fresh AS SELECT min(file_row_number) AS file_row_number, h, r FROM (SELECT file_row_number, "
            f"{_hash(table.key)} AS h, {_hash(table.types)} AS r FROM {numbered(incoming)}) GROUP BY h, r"
        )
        keys = f"SELECT {_hash(table.key)} AS h, filename FROM ({source(table, files, filename=True)})"
        run(f"CREATE TABLE met AS SELECT * FROM ({keys}) SEMI JOIN fresh USING (h)")
        if touched := self._touched():
            known = f"SELECT {_hash(table.key)} AS h, {_hash(table.types)} AS r FROM ({source(table, touched)})"
            run(f"DELETE FROM fresh WHERE (h, r) IN (SELECT (h, r) FROM ({known}))")

    def _settle(self, table: Table, incoming: Path) -> list[Path]:
        """Takes from `fresh` what loses against another row of its key. Table `losers`: keys of rows in the warehouse
        that lose; returns the files where they are."""
        run = self._connection.execute
        run("DELETE FROM met WHERE h NOT IN (SELECT h FROM fresh)")
        run(
            "CREATE TEMP TABLE doubtful AS SELECT h FROM fresh GROUP BY h HAVING count(*) > 1 "
            "UNION SELECT DISTINCT h FROM met"
        )
        columns = ", ".join(table.types)
        candidates = (
            f"SELECT {columns}, file_row_number AS n, NULL AS filename FROM {numbered(incoming)} "
            f"SEMI JOIN (FROM fresh SEMI JOIN doubtful USING (h)) USING (file_row_number)"
        )
        if touched := self._touched():
            present = source(table, touched, filename=True)
            candidates += (
                f" UNION ALL SELECT {columns}, NULL AS n, filename FROM ({present}) "
                f"WHERE {_hash(table.key)} IN (FROM doubtful)"
            )
        run(
            f"CREATE TABLE losers AS SELECT {', '.join(table.key)}, n, filename FROM ({candidates}) QUALIFY "
            f"row_number() OVER (PARTITION BY {', '.join(table.key)} ORDER BY {_order(table)}, n NULLS FIRST) > 1"
        )
        run("DROP TABLE doubtful")
        run("DELETE FROM fresh WHERE file_row_number IN (SELECT n FROM losers WHERE n IS NOT NULL)")
        rows = run("SELECT DISTINCT filename FROM losers WHERE filename IS NOT NULL ORDER BY filename").fetchall()
        return [Path(name) for (name,) in rows]

    def _touched(self) -> list[Path]:
        return [Path(name) for (name,) in self._connection.execute("SELECT DISTINCT filename FROM met").fetchall()]

    def _without_losers(self, table: Table, file: Path, result: Merged) -> None:
        keys = " AND ".join(f"l.{column} = t.{column}" for column in table.key)
        kept = f"SELECT * FROM ({source(table, [file])}) t WHERE NOT EXISTS (FROM losers l WHERE n IS NULL AND {keys})"
        self._write(table, kept, result)
        result.remove.append(file)

    def _write(self, table: Table, select: str, result: Merged) -> None:
        """Files by day, in staging, with the places that they will have."""
        folder = Path(tempfile.mkdtemp(prefix=f"{table.name}-", dir=self._staging))
        rows, target, options = select, folder / "rows.parquet", ""
        if table.time:
            rows, target = f"SELECT {', '.join(table.types)} FROM ({select})", folder
            day = f"DATE '1970-01-01' + CAST({table.time} // {DAY_MS} AS INTEGER)"
            rows = f"SELECT *, {day} AS {PARTITION} FROM ({rows}) ORDER BY {PARTITION}"
            options = f", PARTITION_BY ({PARTITION})"
        self._connection.execute(
            f"COPY ({rows}) TO {quoted(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}{options})"
        )
        for path in sorted(folder.rglob("*.parquet")):
            place = self._folder.path / table.name / path.relative_to(folder).parent
            result.add[path] = next_place(place, self._places)
            self._places.add(result.add[path])

    def _files(self, table: Table) -> list[Path]:
        return [path for path in self._folder.files(table) if path not in self._without]

    def _number(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0]) if row else 0


def _hash(columns: Iterable[str]) -> str:
    return f"hash({', '.join(columns)})"


def numbered(file: Path) -> str:
    """Its rows, with their numbers in it."""
    return f"read_parquet({quoted(file)}, file_row_number=true)"


def _order(table: Table) -> str:
    """By time, then as the JSON texts of the rows would be; a key is equal anyway."""
    others = [c for c in table.columns if c.name not in (*table.key, table.time)]
    texts = (c.name if c.json else f"CAST(to_json({c.name}) AS VARCHAR)" for c in others)
    return ", ".join([*([table.time] if table.time else []), *(f"coalesce({text}, 'null')" for text in texts)])


def _refused(error: duckdb.Error) -> Exception:
    text = str(error).splitlines()[0]
    if "No space left" in text:
        return OSError(28, "no space left on device")
    return WarehouseError(f"DuckDB: {text}")
