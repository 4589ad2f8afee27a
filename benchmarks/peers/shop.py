"""What every side of benchmarks/measure.py is asked, and how it tells its answers. Standard library only."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
CHURN_MS = 30 * DAY_MS
LIMIT_MS = 2_000
"""What is younger than that, before the newest event, may still come: the lateness."""
DAYS = (1, 7, 30)
REPURCHASE_DAYS = 30


class Answers(NamedTuple):
    """`retention`: (starters, returned) of each of DAYS and of ">= 7"; `lifecycle`: (week, new, returning,
    resurrecting, not there in the next week) of each week; the others as their measures name them."""

    as_of: int
    retention: Sequence[int]
    activation: Sequence[int]
    lifecycle: Sequence[Sequence[int]]
    churn: Sequence[int]
    repurchase: Sequence[int]

    def numbers(self) -> list[int]:
        """In one order for all sides: of weeks those that are over, with who was not there any more."""
        over = ((self.as_of - LIMIT_MS) // DAY_MS + 3) // 7
        weeks = {week: tuple(counts) for week, *counts in self.lifecycle}
        life = [
            number
            for week in range(min(weeks), over)
            for number in (*weeks.get(week, (0, 0, 0, 0))[:3], weeks.get(week - 1, (0, 0, 0, 0))[3])
        ]
        return [*self.retention, *self.activation, *life, *self.churn, *self.repurchase]


def tell(ask: Callable[[str], Answers], warehouse: str) -> None:
    """One JSON line (benchmarks.kit.sides.Said): the questions once, from the opening of the warehouse on."""
    began = time.perf_counter()
    numbers = ask(warehouse).numbers()
    say(len(numbers), time.perf_counter() - began, numbers)


def say(done: int, seconds: float, numbers: Sequence[int]) -> None:
    digest = zlib.crc32(" ".join(map(str, numbers)).encode())
    said = {"done": done, "seconds": seconds, "processor": time.process_time(), "results": len(numbers)}
    print(json.dumps({**said, "digest": digest}))
