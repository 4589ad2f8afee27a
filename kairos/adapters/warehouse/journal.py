"""Files change places as a whole: a journal says which, and whoever finds one finishes what it says."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from kairos.adapters.warehouse.lock import Lock

LOCK, JOURNAL = ".lock", ".journal"


class Journal(msgspec.Struct):
    """Paths below the warehouse. `add`: from where -> to where."""

    add: dict[str, str]
    remove: list[str]


def write(root: Path, draft: Path, journal: Journal) -> None:
    """`draft`: a file on the same disk, which becomes the journal at once. From then on the change will happen."""
    draft.write_bytes(msgspec.json.encode(journal))
    to_disk(draft)
    os.replace(draft, root / JOURNAL)


def finish(root: Path) -> None:
    """Carries out the journal, if there is one. As often as it is called, the result is the same."""
    lock = Lock(root / LOCK)
    try:
        try:
            journal = msgspec.json.decode((root / JOURNAL).read_bytes(), type=Journal)
        except FileNotFoundError:
            return
        for source, target in journal.add.items():
            if (root / source).exists():
                (root / target).parent.mkdir(parents=True, exist_ok=True)
                os.replace(root / source, root / target)
        for path in journal.remove:
            (root / path).unlink(missing_ok=True)
        (root / JOURNAL).unlink()
    finally:
        lock.close()


def to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
