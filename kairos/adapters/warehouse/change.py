"""Changing a warehouse: files are written aside, then all of them change places, or none.

One process at a time writes. What it has written becomes part of the tables by one rename, that of the journal; from
then on whoever comes next, reader or writer, finishes the change should its writer have been killed.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.journal import JOURNAL, Journal, finish, to_disk, write
from kairos.adapters.warehouse.lock import Lock
from kairos.adapters.warehouse.port import WarehouseError

WRITER, STAGING = ".writer", ".staging"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Change:
    """`staging`: a folder for what will be part of the warehouse."""

    def __init__(self, folder: Folder, staging: Path) -> None:
        self.folder = folder
        self.staging = staging

    def commit(self, add: Mapping[Path, Path], remove: Iterable[Path] = ()) -> None:
        """`add`: file in staging -> its place. Waits for readers. Raises OSError, before anything has changed."""
        root = self.folder.path
        for path in add:
            to_disk(path)
        moves = {_below(root, source): _below(root, target) for source, target in add.items()}
        journal = Journal(add=moves, remove=[_below(root, path) for path in remove])
        if journal.add or journal.remove:
            write(root, self.staging / JOURNAL, journal)
            finish(root)


@contextmanager
def changing(folder: Folder, *, wait: bool = False) -> Iterator[Change]:
    """For the one process that writes. Raises WarehouseError where another does (unless it may `wait` for its end), or
    where the disk is full."""
    folder.create()
    staging = folder.path / STAGING
    try:
        writer = Lock(folder.path / WRITER, wait=wait)
    except BlockingIOError:
        raise WarehouseError(f"another process is writing to {folder.path}; try again when it has ended") from None
    try:
        finish(folder.path)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield Change(folder, staging)
    except OSError as error:
        said = f"the warehouse {folder.path} cannot be written: {error.strerror or error}"
        kept = "; what was in the warehouse is there, nothing of this was added" if error.errno in _FULL else ""
        raise WarehouseError(said + kept) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        writer.close()


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
