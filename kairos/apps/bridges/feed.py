"""What a bridge carries from: a queue or a topic, for as long as the connection lasts."""

from __future__ import annotations

from collections import deque
from typing import Protocol, TypeVar

from kairos.usecases.intake.batch import Item

MOST_EVENTS = 500
MOST_BYTES = 4_000_000
"""Of one batch, which all lies in the producer at once. A single larger one is let in: it ends as a dead letter."""
IDLE_SECONDS = 0.3
"""How long `take` waits for the first. A bridge looks at its source in between."""

T = TypeVar("T")


class FeedLostError(Exception):
    """It cannot be read from now; the message says where and why. What is not acknowledged comes again."""


class Feed(Protocol):
    """One batch at a time: `take`, and `done` once Kafka has all of it. Both raise FeedLostError."""

    async def take(self) -> list[Item]:
        """The next ones in their order; none after a moment in which nothing came."""
        ...

    async def done(self) -> None:
        """Acknowledges all that was taken so far, and nothing else ever does."""
        ...

    async def close(self) -> None:
        """What is not acknowledged comes again, here or at another bridge."""
        ...


def batch_of(waiting: deque[tuple[Item, T]]) -> list[tuple[Item, T]]:
    """Takes as many off the left as fit into one batch, one at least where there are any."""
    batch: list[tuple[Item, T]] = []
    size = 0
    while waiting and len(batch) < MOST_EVENTS and size < MOST_BYTES:
        batch.append(waiting.popleft())
        size += len(batch[-1][0].raw)
    return batch
