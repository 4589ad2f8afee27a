"""Reads a rule folder into memory, for `kairos.engine.rule.load`."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from kairos.engine.rule.load import Unreadable
from kairos.engine.rule.lower.catalog import CODE_FILES
from kairos.engine.rule.text.decode import MAX_BYTES

SUFFIXES = (".yaml", ".yml", ".liquid", ".sql")
MOST_CODES = 32 << 20
"""Bytes of a file of codes."""
MOST_FILES = 20_000
_TEMPORARY = re.compile(r"~$|^#.*#$|^\d+$|\.(sw[a-z]|tmp|temp|bak|orig|rej|part)$|___jb_\w+___$")


def other_files(path: Path) -> list[str]:
    """What else lies below `path`, by its path with slashes; what editors leave for a while is not counted."""
    root = path.resolve(strict=True)
    return [
        _printable(file.relative_to(root).as_posix())
        for file in _walk(root)
        if not file.name.endswith(SUFFIXES) and not _TEMPORARY.search(file.name) and file.name != "README.md"
    ]


def newest_change(path: Path) -> int:
    """When (epoch ms) a rule file or a folder was last written, made, renamed or removed. No copy sets it."""
    root = path.resolve(strict=True)
    files = [file for file in _walk(root) if file.name.endswith((*SUFFIXES, *CODE_FILES))]
    times = [found.st_ctime_ns for file in {root, *files, *(file.parent for file in files)} if (found := _stat(file))]
    return max(times, default=0) // 1_000_000


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None


def _walk(root: Path) -> Iterator[Path]:
    """Without hidden files and folders."""
    for folder, folders, names in os.walk(root, onerror=_fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def read_folder(path: Path) -> dict[str, bytes | Unreadable]:
    """Every rule file below `path`, by its path with slashes. Raises OSError where a folder cannot be listed.

    Hidden files and folders are left out. A link is followed only to a file inside the folder (as a mounted ConfigMap
    has them); what leads outside, and what is no regular file, is `Unreadable`: a rule folder is data and must not
    reach other files. A file that is larger than a rule file may be is cut off just above that size.
    """
    root = path.resolve(strict=True)
    files: dict[str, bytes | Unreadable] = {}
    for file in _walk(root):
        if file.name.endswith(SUFFIXES):
            files[_printable(file.relative_to(root).as_posix())] = _read(file, root)
        if len(files) > MOST_FILES:
            raise OSError(f"more than {MOST_FILES:,} rule files")
    return files | _codes(root, files.get("coupons.yaml"))


def _codes(root: Path, pools: bytes | Unreadable | None) -> dict[str, bytes | Unreadable]:
    """The files of codes that coupons.yaml names."""
    if not isinstance(pools, bytes):
        return {}
    found = {_printable(file.relative_to(root).as_posix()): file for file in _walk(root)}
    named = (path for path in found if path.endswith(CODE_FILES) and path.encode() in pools)
    return {path: _read(found[path], root) for path in named}


def _read(file: Path, root: Path) -> bytes | Unreadable:
    try:
        target = file.resolve(strict=True)
        if not target.is_relative_to(root):
            return Unreadable("the link leads out of the rule folder")
        with open(target, "rb", opener=_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return Unreadable("not a regular file")
            if not file.name.endswith(CODE_FILES):
                return stream.read(MAX_BYTES + 1)
            codes = stream.read(MOST_CODES + 1)
            return codes if len(codes) <= MOST_CODES else Unreadable(f"larger than {MOST_CODES >> 20} MB")
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
