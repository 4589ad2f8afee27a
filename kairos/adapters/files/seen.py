"""A folder as the disk knows it: whether anything in it is another than before is told without reading a file."""

from __future__ import annotations

import os
from operator import attrgetter
from pathlib import Path

Seen = tuple[str | int, ...]
"""A file or folder, by its path, number, size and times."""


_name = attrgetter("name")


def look(folder: Path | str, seen: list[Seen]) -> int:
    """Adds the folder and all that lies below and is not hidden, in the order of names; when (ns) the newest of it was
    changed. What goes meanwhile is left out. Raises OSError."""
    found = os.stat(folder)
    seen.append((str(folder), found.st_ino, found.st_ctime_ns))
    newest = found.st_ctime_ns
    with os.scandir(folder) as entries:
        for entry in sorted((entry for entry in entries if entry.name[0] != "."), key=_name):
            if entry.is_dir(follow_symlinks=False):
                newest = max(newest, look(entry.path, seen))
                continue
            for links in (False, True) if entry.is_symlink() else (False,):
                try:
                    found = entry.stat(follow_symlinks=links)
                except OSError:
                    continue  # it leads nowhere
                seen.append((entry.path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
                newest = max(newest, found.st_ctime_ns)
    return newest
