"""What a worker works with, each behind a protocol or a class of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from kairos.adapters.channels.channel import Channel, Message
from kairos.adapters.delivery.ledger import Change, Row
from kairos.adapters.delivery.policy import Policy
from kairos.adapters.metrics.declared import DELIVERY
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.post import Post
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.clock import Clock
from kairos.apps.delivery.fence import Fence
from kairos.apps.delivery.pace.agreement import Agreement
from kairos.apps.delivery.pace.turnstile import Turnstile
from kairos.apps.delivery.stopped import Stopped
from kairos.apps.delivery.traced import DeliveryTraces
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

    async def refuses(self, user_id: str, topic: str) -> bool:
        """Whether the user is known to have said no to the topic."""
        ...


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
    gate: Turnstile
    ledger: Batches[Change, Row | None]
    posts: Batches[Post, None]
    provider: Channel
    content: Content
    lists: Lists
    pauses: Pauses
    chance: Random
    agreement: Agreement
    fence: Fence
    stopped: Stopped = field(default_factory=Stopped)
    clock_of: Callable[[int], Clock] | None = None
    metrics: Metrics = field(default_factory=lambda: Metrics(DELIVERY))
    traces: DeliveryTraces = field(default_factory=DeliveryTraces)

    def clock_at(self, time: int) -> Clock:
        """The clock of what was decided at `time`: everybody's, except in a bounded run."""
        return self.clock if self.clock_of is None else self.clock_of(time)
