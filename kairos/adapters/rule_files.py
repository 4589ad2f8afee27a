"""Reads a rule folder into memory, for `kairos.engine.rule.load`."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kairos.engine.rule.load import Unreadable
from kairos.engine.rule.text.decode import MAX_BYTES

SUFFIXES = (".yaml", ".yml", ".liquid")
MOST_FILES = 20_000


def read_folder(path: Path) -> dict[str, bytes | Unreadable]:
    """Every rule file below `path`, by its path with slashes. Raises OSError where a folder cannot be listed.

    Hidden files and folders are left out. A link is followed only to a file inside the folder (as a mounted ConfigMap
    has them); what leads outside, and what is no regular file, is `Unreadable`: a rule folder is data and must not
    reach other files. A file that is larger than a rule file may be is cut off just above that size.
    """
    root = path.resolve(strict=True)
    files: dict[str, bytes | Unreadable] = {}
    for folder, folders, names in os.walk(root, onerror=_fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not name.endswith(SUFFIXES):
                continue
            file = Path(folder, name)
            files[_printable(file.relative_to(root).as_posix())] = _read(file, root)
            if len(files) > MOST_FILES:
                raise OSError(f"more than {MOST_FILES:,} rule files")
    return files


def _read(file: Path, root: Path) -> bytes | Unreadable:
    try:
        target = file.resolve(strict=True)
        if not target.is_relative_to(root):
            return Unreadable("the link leads out of the rule folder")
        with open(target, "rb", opener=_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return Unreadable("not a regular file")
            return stream.read(MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:
        return Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or 'the link leads to itself'}")


def _without_waiting(name: str, flags: int) -> int:
    """A named pipe would block until somebody writes to it."""
    return os.open(name, flags | os.O_NONBLOCK)


def _printable(path: str) -> str:
    """File names are bytes; a finding must be able to name every one of them."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _fail(error: OSError) -> None:
    raise error
