"""JSON written by others: whatever the bytes are, they become a value or an UnreadableError, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

T = TypeVar("T")

NAMED = 5
"""How many unreadable records are named; all are counted."""


class UnreadableError(ValueError):
    """These bytes are not what was expected; the message says why."""


def decoder(shape: type[T]) -> Callable[[bytes | None], T]:
    """A function from a record's value (None: a tombstone) to `shape`, which raises UnreadableError alone.

    msgspec raises ValueError for what is malformed, and RecursionError for what is nested too deeply.
    """
    decode = msgspec.json.Decoder(shape).decode

    def read(value: bytes | None) -> T:
        if value is None:
            raise UnreadableError("a record without value")
        try:
            return decode(value)
        except RecursionError:
            raise UnreadableError("nested too deeply") from None
        except ValueError as error:
            raise UnreadableError(str(error)) from None

    return read


@dataclass
class Unreadable:
    """What was passed over: how many records of each topic, and the first of them as (origin, why)."""

    counts: Counter[str] = field(default_factory=Counter)
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, topic: str, origin: str, error: UnreadableError) -> None:
        self.counts[topic] += 1
        if len(self.first) < NAMED:
            self.first.append((origin, str(error)))
