"""Engines that stay open between questions about single users, for as long as the warehouse has the same files: to open
one, and to read what each of its files says of itself, takes as long as to find one user's rows.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from kairos.adapters.warehouse.duckdb import DuckDb, Opened
from kairos.adapters.warehouse.folder import Folder

MOST = 2
"""That are open, of one folder or of several; what was asked for longest ago goes."""
MEMORY = "1GB"
"""Of each."""

_Place = tuple[Path, str]
_kept: dict[_Place, tuple[int, Opened]] = {}
_lock = Lock()


def kept_about(folder: Folder, user: str, since: str) -> DuckDb:
    """As a `DuckDb` of this user. Raises WarehouseError."""
    return DuckDb(folder, user=user, opened=lambda: _opened(folder, since))


def _opened(folder: Folder, since: str) -> Opened:
    """Under the folder's lock: what it has stays as it is."""
    place, files = (folder.path, since), folder.fingerprint()
    with _lock:
        seen, opened = _kept.pop(place, (0, None))
        if opened is None or seen != files:
            opened = Opened(folder, MEMORY, since=since)
        while len(_kept) >= MOST:
            del _kept[next(iter(_kept))]
        _kept[place] = (files, opened)
    return opened
