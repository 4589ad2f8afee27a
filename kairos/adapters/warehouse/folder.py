"""The folder of a warehouse: a folder a table, in it Parquet files, by day where the table has a time.

    events/dt=2026-11-02/<number>.parquet     profiles/<number>.parquet

What lies there is the table, all of it, for whoever reads it. Names that begin with a dot are the warehouse's own:
`.lock` is shared by readers and exclusive while files change places (`journal.py`), `.writer` is of the one process
that writes into `.staging` (`change.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from kairos.adapters.files.seen import Seen, look
from kairos.adapters.warehouse.journal import JOURNAL, LOCK, finish
from kairos.adapters.warehouse.lock import Lock
from kairos.adapters.warehouse.port import WarehouseError
from kairos.engine.warehouse.tables import PARTITION, TABLES, Table


class Folder:
    """`path`: where the warehouse is."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def exists(self) -> bool:
        return (self.path / LOCK).exists()

    def create(self) -> None:
        """Makes it where it is not there. Raises WarehouseError where the folder holds something else."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not self.exists and any(self.path.iterdir()):
                raise WarehouseError(f"{self.path} holds other files; a new or empty folder is expected")
            Lock(self.path / LOCK, shared=True).close()  # first: by this file a warehouse is known
            for table in TABLES:
                (self.path / table).mkdir(exist_ok=True)
        except OSError as error:
            raise WarehouseError(f"the warehouse {self.path}: {error.strerror}") from None

    def read_lock(self) -> Lock:
        """Files stay in their places until it is closed. Raises WarehouseError where there is no warehouse."""
        if not self.exists:
            raise WarehouseError(f"no warehouse in {self.path}; 'kairos warehouse load' makes one")
        try:
            while True:
                lock = Lock(self.path / LOCK, shared=True)
                if not (self.path / JOURNAL).exists():
                    return lock
                lock.close()
                finish(self.path)
        except OSError as error:
            raise WarehouseError(f"the warehouse {self.path}: {error.strerror}") from None

    def files(self, table: Table, since: str = "") -> list[Path]:
        """In the order of days, then names. `since`: of a table with days none before this one, as `2026-11-02`.

        Raises WarehouseError for what cannot be read: an empty answer would pass for an empty table.
        """
        folder, first = self.path / table.name, f"{PARTITION}={since}"
        days = [day for day in _names(folder) if day.startswith(f"{PARTITION}=") and day >= first]
        folders = [folder / day for day in days] if table.time else [folder]
        return sorted(each / name for each in folders for name in _names(each) if name.endswith(".parquet"))

    def all_files(self) -> list[Path]:
        """Of every table."""
        return [path for table in TABLES.values() for path in self.files(table)]

    def fingerprint(self) -> int:
        """Another number as soon as a file of any table is another one, or there is one more or less. It takes no lock;
        in the middle of a change it is neither that before nor that after. Raises WarehouseError."""
        seen: list[Seen] = []
        for table in TABLES:
            try:
                look(self.path / table, seen)
            except FileNotFoundError as error:
                seen.append((str(error.filename),))
            except OSError as error:
                raise _unreadable(error.filename or self.path, error) from None
        return hash(tuple(seen))


def _names(folder: Path) -> list[str]:
    """What is in it and not hidden; nothing where it is not there. Raises WarehouseError."""
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(folder, error) from None


def _unreadable(folder: Path | str, error: OSError) -> WarehouseError:
    return WarehouseError(f"the warehouse's {folder} cannot be read: {error.strerror}")


def next_place(folder: Path, taken: Iterable[Path] = ()) -> Path:
    """A name in this folder that no file has, nor one of the taken."""
    names = [path.stem for path in [*folder.glob("*.parquet"), *(p for p in taken if p.parent == folder)]]
    number = max((int(name) for name in names if name.isdigit()), default=0) + 1
    return folder / f"{number:08d}.parquet"
