"""Locks on files, between processes of one machine."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """Given back when closed, or when the process ends."""

    def __init__(self, path: Path, *, shared: bool = False, wait: bool = True) -> None:
        """Raises BlockingIOError where it may not wait, and OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BaseException:
            os.close(self._file)
            raise

    def close(self) -> None:
        os.close(self._file)
