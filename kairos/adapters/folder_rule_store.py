"""A rule folder as a store: what is saved in it becomes the next release, once it is free of errors."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kairos.adapters.rule_files import read_folder
from kairos.adapters.rule_store import BrokenReleaseError, RuleStoreError
from kairos.engine.rule.load import Unreadable, load
from kairos.engine.rule.release import Release
from kairos.engine.rule.succession import succeed

Files = Mapping[str, bytes | Unreadable]


def _now() -> int:
    return time.time_ns() // 1_000_000


class FolderRuleStore:
    """Numbers count the changes seen by this object, from `after` on.

    `clock` gives epoch ms: a change is effective from when it is seen, the first release since ever.
    """

    def __init__(self, folder: str | Path, clock: Callable[[], int] = _now) -> None:
        self._folder = Path(folder)
        self._clock = clock
        self._seen = ""
        self._release: Release | None = None

    def latest(self, after: int) -> Release | None:
        files = self._files()
        if files is None:
            return None
        content = _hash(files)
        if content != self._seen:
            self._take(content, files, after)
        return self._release if self._release and self._release.number > after else None

    def _take(self, content: str, files: Files, after: int) -> None:
        self._seen = content
        previous = self._release
        number = max(after, previous.number if previous else 0) + 1
        loaded = load(files)
        if loaded.rules is None:
            errors = [finding for finding in loaded.findings if finding.level == "error"]
            raise BrokenReleaseError(number, f"the rules in {self._folder} have errors", errors)
        self._release = succeed(previous, loaded.rules, self._clock(), number)

    def _files(self) -> Files | None:
        """None: it is just being written."""
        try:
            with _lock(self._folder, fcntl.LOCK_SH | fcntl.LOCK_NB) as free:
                return read_folder(self._folder) if free else None
        except OSError as error:
            raise self._unreadable(error) from None

    def publish(self, release: Release, files: Mapping[str, bytes], author: str) -> None:
        """Makes the folder's rules those of `files`; a reader sees all of them or none."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with _lock(self._folder, fcntl.LOCK_EX):
                _mirror(self._folder, files)
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> RuleStoreError:
        return RuleStoreError(f"the rule folder {self._folder}: {error.filename or ''}: {error.strerror or error}")


@contextmanager
def _lock(folder: Path, kind: int) -> Iterator[bool]:
    """Whether the lock was to be had; it ends with the process, whatever happens to that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, kind)
            free = True
        except BlockingIOError:
            free = False
        yield free
    finally:
        os.close(descriptor)


def _mirror(folder: Path, files: Mapping[str, bytes]) -> None:
    """Every file is written beside its place first, so that a full disk leaves the folder as it was."""
    written = []
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.new")
        draft.write_bytes(content)
        written.append((draft, target))
    for draft, target in written:
        draft.replace(target)
    for name in read_folder(folder).keys() - files.keys():
        (folder / name).unlink()


def _hash(files: Files) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        known = content if isinstance(content, bytes) else content.reason.encode()
        digest.update(f"{name}\0{len(known)}\0".encode())
        digest.update(known)
    return digest.hexdigest()
