"""Members of crowds as files of a warehouse: what a new snapshot changes, and how it becomes part of the history.

One process at a time builds crowds of a warehouse. What it is about to put before the job is noted in `.crowds`, so
that whoever comes after it, should it be killed, can take it back or finish it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet

from kairos.adapters.warehouse.change import Change
from kairos.adapters.warehouse.duckdb import connect, quoted, source
from kairos.adapters.warehouse.folder import Folder, next_place
from kairos.adapters.warehouse.incoming import Incoming
from kairos.adapters.warehouse.journal import to_disk
from kairos.adapters.warehouse.lock import Lock
from kairos.adapters.warehouse.merge import Merge
from kairos.adapters.warehouse.port import WarehouseError
from kairos.engine.crowd.guard import Counts
from kairos.engine.warehouse.tables import CROWD_BUILDS, CROWD_MEMBERS

NOTES = ".crowds"
MANY = 8
"""So many files of nothing but past members of a crowd become one."""


class Build(msgspec.Struct, frozen=True):
    """A row of `crowd_builds`."""

    crowd: str
    number: int
    n: int | None
    as_of_ms: int
    at_ms: int
    size: int
    added: int
    removed: int
    status: str


class Pending(msgspec.Struct, frozen=True):
    """A snapshot on its way before the job."""

    crowd: str
    n: int
    as_of: int
    counts: Counts


class CrowdFiles:
    """`spill`: a folder for what is written on the way. Raises WarehouseError where another process builds crowds."""

    def __init__(self, folder: Folder, spill: Path) -> None:
        self._folder = folder
        self._spill = spill
        self._notes = folder.path / NOTES
        folder.read_lock().close()
        self._notes.mkdir(exist_ok=True)
        try:
            self._lock = Lock(self._notes / "lock", wait=False)
        except BlockingIOError:
            raise WarehouseError(f"another process is building crowds of {folder.path}; try again later") from None

    def close(self) -> None:
        self._lock.close()

    # ---------------------------------------------------------------------------------------------- what changes
    def compare(self, crowd: str, members: Path) -> tuple[Path, Counts]:
        """`members`: Parquet with a column user_id, each once. A file of who is new (`from_n` null) and who is gone."""
        delta = self._spill / "delta.parquet"
        reading = self._folder.read_lock()
        connection = connect(self._spill / "spill")
        try:
            present = source(CROWD_MEMBERS, self._folder.files(CROWD_MEMBERS))
            connection.execute(
                f"CREATE TABLE old AS SELECT user_id, from_n FROM ({present}) WHERE crowd = $crowd AND to_n IS NULL",
                {"crowd": crowd},
            )
            connection.execute(f"CREATE VIEW new AS SELECT user_id FROM read_parquet({quoted(members)})")
            connection.execute(
                f"COPY (SELECT user_id, CAST(NULL AS BIGINT) AS from_n FROM new ANTI JOIN old USING (user_id) "
                "UNION ALL SELECT user_id, from_n FROM old ANTI JOIN new USING (user_id)) "
                f"TO {quoted(delta)} (FORMAT parquet)"
            )
            changed = f"SELECT count(*) FILTER (from_n IS NULL), count(from_n) FROM read_parquet({quoted(delta)})"
            counted = f"SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM new), * FROM ({changed})"
            return delta, Counts(*connection.execute(counted).fetchall()[0])
        except duckdb.Error as error:
            raise WarehouseError(f"DuckDB: {str(error).splitlines()[0]}") from None
        finally:
            connection.close()
            reading.close()

    # -------------------------------------------------------------------------------------------------- on the way
    def note(self, pending: Pending, delta: Path) -> None:
        """Notes a snapshot as pending: whoever comes after a killed builder finds it."""
        file, draft = self._delta_of(pending.crowd), self._notes / "draft"
        shutil.copyfile(delta, draft)
        to_disk(draft)
        os.replace(draft, file)
        draft.write_bytes(msgspec.json.encode(pending))
        to_disk(draft)
        os.replace(draft, self._note_of(pending.crowd))

    def pending(self, crowd: str) -> Pending | None:
        try:
            return msgspec.json.decode(self._note_of(crowd).read_bytes(), type=Pending)
        except FileNotFoundError:
            return None

    def delta(self, crowd: str) -> Iterator[tuple[str, int | None]]:
        """(user, since when she was a member; None: she is new) of what is on its way."""
        file = pyarrow.parquet.ParquetFile(self._delta_of(crowd))
        for batch in file.iter_batches(columns=["user_id", "from_n"]):
            yield from zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True)

    def forget_pending(self, crowd: str) -> None:
        self._note_of(crowd).unlink(missing_ok=True)

    def _note_of(self, crowd: str) -> Path:
        return self._notes / f"{crowd}.json"

    def _delta_of(self, crowd: str) -> Path:
        return self._notes / f"{crowd}.parquet"

    # ------------------------------------------------------------------------------------------------ the history
    def commit(self, change: Change, build: Build, *, with_members: bool) -> None:
        """Makes the pending build and its members part of the history."""
        add: dict[Path, Path] = {}
        remove: list[Path] = []
        if with_members and build.n is not None:
            self._add_members(change, build.crowd, build.n, add, remove)
            remove.append(self._note_of(build.crowd))
        self._add_build(change, build, add, remove)
        change.commit(add, remove)

    def _add_members(self, change: Change, crowd: str, n: int, add: dict[Path, Path], remove: list[Path]) -> None:
        files = self._folder.files(CROWD_MEMBERS)
        connection = connect(change.staging / "spill")
        try:
            connection.execute(f"CREATE VIEW present AS {source(CROWD_MEMBERS, files, filename=True)}")
            connection.execute(f"CREATE VIEW delta AS FROM read_parquet({quoted(self._delta_of(crowd))})")
            asked = "SELECT DISTINCT filename FROM present WHERE crowd = $crowd"
            of_crowd = {Path(name) for (name,) in connection.execute(asked, {"crowd": crowd}).fetchall()}
            with_open = connection.execute(f"{asked} AND to_n IS NULL", {"crowd": crowd}).fetchall()
            opened = sorted(Path(name) for (name,) in with_open)
            mine = f"crowd = '{crowd}' AND to_n IS NULL"
            rows = f"FROM ({source(CROWD_MEMBERS, opened)}) m"
            gone = f"SELECT m.* {rows} SEMI JOIN (FROM delta WHERE from_n IS NOT NULL) d USING (user_id) WHERE {mine}"
            kept = f"NOT ({mine}) OR user_id NOT IN (SELECT user_id FROM ({gone}))"
            added = f"SELECT '{crowd}', user_id, {n}, NULL FROM delta WHERE from_n IS NULL"
            parts = {
                "open": f"SELECT m.* {rows} WHERE {kept} UNION ALL {added}",
                "closed": f"SELECT crowd, user_id, from_n, CAST({n} AS BIGINT) AS to_n FROM ({gone})",
            }
            closed = sorted(of_crowd - set(opened))
            if len(closed) >= MANY:
                parts["closed"] += f" UNION ALL SELECT * FROM ({source(CROWD_MEMBERS, closed)})"
                remove += closed
            for name, select in parts.items():
                self._write(connection, change, name, select, add)
            remove += opened
        except duckdb.Error as error:
            raise WarehouseError(f"DuckDB: {str(error).splitlines()[0]}") from None
        finally:
            connection.close()

    def _write(
        self, connection: duckdb.DuckDBPyConnection, change: Change, name: str, select: str, add: dict[Path, Path]
    ) -> None:
        file = change.staging / f"{name}.parquet"
        connection.execute(f"COPY ({select}) TO {quoted(file)} (FORMAT parquet, COMPRESSION zstd)")
        if pyarrow.parquet.read_metadata(file).num_rows:
            add[file] = next_place(self._folder.path / CROWD_MEMBERS.name, add.values())

    def _add_build(self, change: Change, build: Build, add: dict[Path, Path], remove: list[Path]) -> None:
        incoming = Incoming(CROWD_BUILDS, change.staging / "build.parquet")
        incoming.add(msgspec.structs.astuple(build))
        incoming.close()
        merge = Merge(self._folder, change.staging)
        try:
            merged = merge.merge(CROWD_BUILDS, incoming.path)
        finally:
            merge.close()
        add.update(merged.add)
        remove += merged.remove
