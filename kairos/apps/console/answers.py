"""What the warehouse said, kept until it has other files: a measure of millions of decisions is asked once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from kairos.adapters.warehouse.folder import Folder

MOST = 500
T = TypeVar("T")


@dataclass
class _Kept:
    """`said`: the answer, after what the files of the warehouse were when it was asked for; None: nobody has asked yet.
    `asking`: held by who asks."""

    said: tuple[int, Any] | None = None
    asking: Lock = field(default_factory=Lock)

    def of(self, files: int) -> tuple[int, Any] | None:
        said = self.said
        return said if said is not None and said[0] == files else None


class Answers:
    """Safe for several threads: who asks what is being asked already waits for that answer."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Kept] = {}
        self._lock = Lock()

    def known(self, warehouse: Path, question: Hashable) -> bool:
        return self._of(question).of(Folder(warehouse).fingerprint()) is not None

    def get(self, warehouse: Path, question: Hashable, ask: Callable[[], T]) -> T:
        """`question`: all that the answer hangs on, beside the files of the warehouse."""
        kept, folder = self._of(question), Folder(warehouse)
        if (said := kept.of(folder.fingerprint())) is None:
            with kept.asking:
                files = folder.fingerprint()  # before the answer: what changes meanwhile is asked about anew
                if (said := kept.of(files)) is None:
                    said = kept.said = (files, ask())
        answer: T = said[1]
        return answer

    def _of(self, question: Hashable) -> _Kept:
        with self._lock:
            kept = self._kept.pop(question, None) or _Kept()
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[question] = kept
            return kept
