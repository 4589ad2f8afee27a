"""Rule folders that were read before: 100 activities take a third of a second to parse, a twentieth to read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeVar

from kairos.adapters.files.seen import Seen, look
from kairos.adapters.rules.files import newest_change, read_folder
from kairos.engine.rule.load import Loaded, Unreadable, load

Files = Mapping[str, bytes | Unreadable]
MOST = 4
"""Folders, and contents, that are kept; the one that was asked for longest ago goes."""
STILL_NS = 2_000_000_000
"""A disk's clock goes in steps. What was changed less than so long before it was read may have been changed after that
in the same step, and its times do not say so: it is read again."""


Key = TypeVar("Key")
Value = TypeVar("Value")


class Read(NamedTuple):
    """`content`: a hash of all files, with their names. `changed`: as `newest_change` says."""

    files: Files
    content: str
    changed: int = 0


_read: dict[Path, tuple[list[Seen], Read]] = {}
_loaded: dict[str, Loaded] = {}
_lock = Lock()


def read_kept(folder: Path) -> Read:
    """As `read_folder`, which is asked where a file or folder has another time, size or place. Raises OSError."""
    root = folder.resolve(strict=True)
    now, seen = time.time_ns(), list[Seen]()
    newest = look(root, seen)
    with _lock:
        state, read = _read.get(root, (None, None))
    if read is not None and state == seen:
        return read
    files = read_folder(root)
    read = Read(files, content_of(files), newest_change(root))
    with _lock:
        _read.pop(root, None)
        if newest < now - STILL_NS:
            _keep(_read, root, (seen, read))
    return read


def parsed(read: Read) -> Loaded:
    """As `load` says, which asks neither clock nor disk: the same files are the same rules. Nobody changes them."""
    with _lock:
        found = _loaded.pop(read.content, None)
        if found is None:
            found = load(read.files)
        _keep(_loaded, read.content, found)
        return found


def _keep(kept: dict[Key, Value], key: Key, value: Value) -> None:
    while len(kept) >= MOST:
        del kept[next(iter(kept))]
    kept[key] = value


def content_of(files: Files) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        known = content if isinstance(content, bytes) else content.reason.encode()
        digest.update(f"{name}\0{len(known)}\0".encode())
        digest.update(known)
    return digest.hexdigest()
