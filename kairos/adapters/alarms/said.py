"""What each receiver was told is firing: a file, so that a process that starts anew says nothing twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kairos.adapters.decoding import UnreadableError, decoder
from kairos.adapters.warehouse.lock import Lock
from kairos.engine.alarm.spec import Change
from kairos.errors import KairosError

Said = dict[str, list[Change]]
_read = decoder(Said)


class SaidError(KairosError):
    """The file cannot be read or written, or is another process's; the message names it."""


class SaidFile:
    """None: it is remembered as long as the process lives."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """By this process alone: two would tell everything twice. Raises SaidError."""
        if self._path is None:
            yield
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = Lock(self._path.with_name(self._path.name + ".lock"), wait=False)
        except BlockingIOError:
            raise SaidError(f"{self._path}: another process tells alarms by it; two would tell them twice") from None
        except OSError as error:
            raise SaidError(f"{self._path}: {error.strerror}") from None
        try:
            yield
        finally:
            lock.close()

    def read(self) -> Said:
        """What each receiver was told is firing. Raises SaidError."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            return _read(self._path.read_bytes())
        except (OSError, UnreadableError) as error:
            raise SaidError(f"{self._path}: {error}") from None

    def write(self, said: Said) -> None:
        """Replaces the file as a whole. Raises SaidError."""
        if self._path is None:
            return
        beside = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(said))
            os.replace(beside, self._path)
        except OSError as error:
            raise SaidError(f"{self._path}: {error.strerror}") from None
