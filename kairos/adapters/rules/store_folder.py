"""A rule folder as a store: what is saved in it becomes the next release, once it is free of errors."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import msgspec

from kairos.adapters.rules.files import read_folder
from kairos.adapters.rules.parsed import Read, content_of, parsed, read_kept
from kairos.adapters.rules.store import BrokenReleaseError, RuleStoreError, overtaken
from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.release import Release

_NOTE = ".kairos-release"
STILL = 2_000
"""How long (ms) a folder must not have changed before an edit by hand counts."""
MOST_WAITS = 30


def _now() -> int:
    return time.time_ns() // 1_000_000


class _Change(msgspec.Struct, frozen=True):
    """What the folder holds and is not taken yet, and since when (epoch ms)."""

    content: str
    since: int


NOTHING = _Change("", 0)


class _Published(msgspec.Struct):
    """What `publish` notes beside the rules: the release, and the hash of the files that it was made of."""

    content: str
    release: Release


class FolderRuleStore:
    """What was published there keeps its number; each edit by hand is a release of the next number.

    A file that is half written may be valid as far as it goes, so an edit counts once the folder has not changed for
    `still` ms. What `publish` wrote says itself that it is whole, and counts at once. `clock` gives epoch ms: an edit
    is effective from when it is taken, the first release since ever.
    """

    def __init__(
        self,
        folder: str | Path,
        clock: Callable[[], int] = _now,
        still: int = STILL,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._folder = Path(folder)
        self._clock = clock
        self._still = still
        self._wait = wait
        self._seen = ""
        self._changing = NOTHING
        self._release: Release | None = None

    def latest(self, after: int) -> Release | None:
        """As of any store. Who has no release yet waits until the folder is still; others get the new one then."""
        release = self._look(after)
        for _ in range(MOST_WAITS):
            if self._seen or not self._changing.content:
                return release
            self._wait(self._still / 1000)
            release = self._look(after)
        raise RuleStoreError(f"the rule folder {self._folder} is changed all the time")

    def _look(self, after: int) -> Release | None:
        try:
            with _lock(self._folder, fcntl.LOCK_SH | fcntl.LOCK_NB) as free:
                if not free:
                    return None  # it is just being written
                read, published = read_kept(self._folder), self._published()
        except OSError as error:
            raise self._unreadable(error) from None
        content = read.content
        if content == self._seen:
            self._changing = NOTHING
        elif _is_whole(published, content) or self._is_still(read):
            edited = self._seen != "" or published is None or published.content != content
            self._seen = content
            self._take(read, published, after if edited else 0)
        return self._release if self._release and self._release.number > after else None

    def _is_still(self, read: Read) -> bool:
        """By the clock, since this content was first seen; by the files' own times where nothing was seen before."""
        now = self._clock()
        if read.content != self._changing.content:
            known = self._seen or self._changing.content
            changed = now if known else read.changed
            self._changing = _Change(read.content, changed if changed <= now else 0)
        return now - self._changing.since >= self._still

    def _take(self, read: Read, published: _Published | None, after: int) -> None:
        previous = self._release or (published.release if published else None)
        number = max(after, previous.number if previous else 0) + 1
        if published is not None and published.content == read.content and published.release.number > after:
            self._release = published.release
            return
        loaded = parsed(read)
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
                _write(self._folder / _NOTE, msgspec.msgpack.encode(_Published(content_of(files), release)))
        except OSError as error:
            raise self._unreadable(error) from None

    def _published(self) -> _Published | None:
        """What `publish` noted beside the rules; None: nothing was ever published here, or by a version that noted it
        otherwise."""
        try:
            return _noted((self._folder / _NOTE).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _unreadable(self, error: OSError) -> RuleStoreError:
        return RuleStoreError(f"the rule folder {self._folder}: {error.filename or ''}: {error.strerror or error}")


@lru_cache(maxsize=4)
def _noted(content: bytes) -> _Published:
    """Whoever asks again is given the same. Raises DecodeError."""
    return msgspec.msgpack.decode(content, type=_Published)


def _is_whole(published: _Published | None, content: str) -> bool:
    return published is not None and published.content == content


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
