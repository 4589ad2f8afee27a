"""A rule folder as a store: what is saved in it becomes the next release, once it is free of errors."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kairos.adapters.rule_files import read_folder
from kairos.adapters.rule_store import BrokenReleaseError, RuleStoreError, overtaken
from kairos.engine.rule.load import Unreadable, load
from kairos.engine.rule.release import Release
from kairos.engine.rule.succession import succeed

_NOTE = ".kairos-release"
Files = Mapping[str, bytes | Unreadable]


def _now() -> int:
    return time.time_ns() // 1_000_000


class _Published(msgspec.Struct):
    """What `publish` notes beside the rules: the release, and the hash of the files that it was made of."""

    content: str
    release: Release


class FolderRuleStore:
    """What was published there keeps its number; each edit by hand is a release of the next number.

    `clock` gives epoch ms: an edit is effective from when it is seen, the first release since ever.
    """

    def __init__(self, folder: str | Path, clock: Callable[[], int] = _now) -> None:
        self._folder = Path(folder)
        self._clock = clock
        self._seen = ""
        self._release: Release | None = None

    def latest(self, after: int) -> Release | None:
        try:
            with _lock(self._folder, fcntl.LOCK_SH | fcntl.LOCK_NB) as free:
                if not free:
                    return None  # it is just being written
                files, published = read_folder(self._folder), self._published()
        except OSError as error:
            raise self._unreadable(error) from None
        content = _hash(files)
        if content != self._seen:
            edited = self._seen != "" or published is None or published.content != content
            self._seen = content
            self._take(content, files, published, after if edited else 0)
        return self._release if self._release and self._release.number > after else None

    def _take(self, content: str, files: Files, published: _Published | None, after: int) -> None:
        previous = self._release or (published.release if published else None)
        number = max(after, previous.number if previous else 0) + 1
        if published is not None and published.content == content and published.release.number > after:
            self._release = published.release
            return
        loaded = load(files)
        if loaded.rules is None:
            errors = [finding for finding in loaded.findings if finding.level == "error"]
            raise BrokenReleaseError(number, f"the rules in {self._folder} have errors", errors)
        self._release = succeed(previous, loaded.rules, self._clock(), number)

    def publish(self, release: Release, files: Mapping[str, bytes], author: str) -> None:
        """Makes the folder's rules those of `files`; a reader sees all of them or none."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with _lock(self._folder, fcntl.LOCK_EX):
                published = self._published()
                if published is not None and published.release.number >= release.number:
                    raise overtaken(release.number, str(self._folder))
                _mirror(self._folder, files)
                _write(self._folder / _NOTE, msgspec.msgpack.encode(_Published(_hash(files), release)))
        except OSError as error:
            raise self._unreadable(error) from None

    def _published(self) -> _Published | None:
        """None: nothing was ever published here, or by a version that wrote it otherwise."""
        try:
            return msgspec.msgpack.decode((self._folder / _NOTE).read_bytes(), type=_Published)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

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
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _write(folder / name, content)
    for name in read_folder(folder).keys() - files.keys():
        (folder / name).unlink()


def _write(target: Path, content: bytes) -> None:
    """Beside its place first, so that a full disk leaves no half of a file."""
    draft = target.with_name(f".{target.name}.new")
    draft.write_bytes(content)
    draft.replace(target)


def _hash(files: Files) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        known = content if isinstance(content, bytes) else content.reason.encode()
        digest.update(f"{name}\0{len(known)}\0".encode())
        digest.update(known)
    return digest.hexdigest()
