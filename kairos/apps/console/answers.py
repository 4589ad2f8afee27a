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


class Looks:
    """What the files of a warehouse are, looked at once for all who want to know it at one time. Who comes while
    somebody looks waits for the next look, so nobody is told what was before they came."""

    def __init__(self, look: Callable[[Path], int] = lambda warehouse: Folder(warehouse).fingerprint()) -> None:
        self._look = look
        self._next: dict[Path, list[int]] = {}
        self._lock, self._turn = Lock(), Lock()

    def of(self, warehouse: Path) -> int:
        """As `Folder.fingerprint`. Raises WarehouseError."""
        with self._lock:
            mine = self._next.setdefault(warehouse, [])
        with self._turn:
            if not mine:
                with self._lock:
                    if self._next.get(warehouse) is mine:  # from here on one comes too late for this look
                        del self._next[warehouse]
                mine.append(self._look(warehouse))
            return mine[0]


class Answers:
    """Safe for several threads: who asks what is being asked already waits for that answer."""

    def __init__(self, shared: Answers | None = None) -> None:
        """`shared`: the same answers, as one page asks for them (`of_page`)."""
        self._kept: dict[Hashable, _Kept] = {} if shared is None else shared._kept
        self._lock: Lock = Lock() if shared is None else shared._lock
        self._looks: Looks = Looks() if shared is None else shared._looks
        self._seen: dict[Path, int] | None = None if shared is None else {}

    def of_page(self) -> Answers:
        """The same answers, for one page: it looks once at what the warehouse is, and all of it is told as of then."""
        return Answers(self)

    def known(self, warehouse: Path, question: Hashable) -> bool:
        return self._of(question).of(self._files(warehouse)) is not None

    def get(self, warehouse: Path, question: Hashable, ask: Callable[[], T]) -> T:
        """`question`: all that the answer hangs on, beside the files of the warehouse."""
        kept = self._of(question)
        if (said := kept.of(self._files(warehouse))) is None:
            with kept.asking:
                files = self._looks.of(warehouse)  # before the answer: what changes meanwhile is asked about anew
                if (said := kept.of(files)) is None:
                    said = kept.said = (files, ask())
        answer: T = said[1]
        return answer

    def _files(self, warehouse: Path) -> int:
        if self._seen is None:
            return self._looks.of(warehouse)
        if warehouse not in self._seen:
            self._seen[warehouse] = self._looks.of(warehouse)
        return self._seen[warehouse]

    def _of(self, question: Hashable) -> _Kept:
        with self._lock:
            kept = self._kept.pop(question, None) or _Kept()
            while len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[question] = kept
            return kept
