"""What a worker works with, each behind a protocol or a class of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from kairos.adapters.channels.channel import Channel, Message
from kairos.adapters.ledger import Change, Row
from kairos.adapters.mailbox import Post
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.clock import Clock
from kairos.apps.delivery.gate import Gate
from kairos.apps.delivery.policy import Policy
from kairos.engine.effect import Delivery


class Content(Protocol):
    """The templates of the newest release."""

    def message(self, delivery: Delivery, key: str) -> Message:
        """Raises ContentError: the message cannot be made of these templates."""
        ...

    async def refresh(self) -> None:
        """Looks for a newer release. Never raises."""
        ...


class Lists(Protocol):
    """Where it is kept who cannot or does not want to be reached. Both return when it is written."""

    async def dead_address(self, user_id: str, address: str) -> None: ...

    async def opted_out(self, user_id: str, channel: str) -> None: ...


class Pauses(Protocol):
    """Stops a channel for all its workers."""

    async def pause(self, channel: str, reason: str) -> None: ...


@dataclass
class Tools:
    """`worker`: the name of this worker's life, never used again. `clock_of`: the time that a delivery lives in."""

    channel: str
    worker: str
    policy: Policy
    clock: Clock
    gate: Gate
    ledger: Batches[Change, Row | None]
    posts: Batches[Post, None]
    provider: Channel
    content: Content
    lists: Lists
    pauses: Pauses
    chance: Random
    clock_of: Callable[[int], Clock] | None = None
    counters: Counter[str] = field(default_factory=Counter)

    def clock_at(self, time: int) -> Clock:
        """The clock of what was decided at `time`: everybody's, except in a bounded run."""
        return self.clock if self.clock_of is None else self.clock_of(time)

    async def change(self, before: Row | None, after: Row, **more: object) -> Row | None:
        return await self.ledger.do(Change(before, after, **more))  # type: ignore[arg-type]
