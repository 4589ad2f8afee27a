"""What every side of a benchmark says of itself: one JSON line. Standard library only: it runs in any environment."""

from __future__ import annotations

import gc
import json
import time
import zlib

COLLECTING = (50_000, 20, 100)
"""The garbage collector's thresholds, for every side alike: those of `kairos simulate`."""


class Meter:
    """The steady part of a run over `count` events: from the first tenth of them to the last."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.begin_at = count // 10
        self._began: tuple[float, float] | None = None
        self._ended = (0.0, 0.0)

        gc.freeze()
        gc.set_threshold(*COLLECTING)

    def begin(self) -> None:
        """To be called when `begin_at` events have been taken; later calls do nothing."""
        if self._began is None:
            self._began = _clocks()

    def end(self) -> None:
        self._ended = _clocks()

    def tell(self, results: list[tuple[str, str, int]]) -> None:
        """`results`: (rule, user, event time in ms) of each; their sum makes sure that all sides found the same."""
        assert self._began is not None
        wall, processor = (after - before for before, after in zip(self._began, self._ended, strict=True))
        digest = sum(zlib.crc32(f"{rule} {user} {at}".encode()) for rule, user, at in results)
        said = {"done": self.count - self.begin_at, "seconds": wall, "processor": processor}
        print(json.dumps({**said, "results": len(results), "digest": digest}))


def _clocks() -> tuple[float, float]:
    """Of the wall, and of the processor with all threads of this process."""
    return time.perf_counter(), time.process_time()
