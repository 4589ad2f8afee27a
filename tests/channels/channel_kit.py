"""What the tests of providers share: messages, and channels opened as the worker opens them."""

from __future__ import annotations

import asyncio
from typing import Any

from kairos.adapters.channels.channel import Channel, Message, Outcome
from kairos.adapters.channels.providers import open_channel
from kairos.apps.demo.providers.desk import Desk, Fault
from kairos.apps.demo.providers.house import Open
from kairos.apps.demo.providers.world import World

NOW = 1_763_800_000_000
"""The clock of all tests here, epoch ms."""

KEY = "0123456789abcdef0123456789abcdef"


def message(**fields: Any) -> Message:
    """A message with every field; `fields` replace some."""
    usual: dict[str, Any] = {
        "key": KEY,
        "activity": "payment_unfinished",
        "user_id": "u1",
        "occurrence": "979e355370809298",
        "attempt": 1,
        "channel": "sms",
        "template": "payment_unfinished",
        "address": "+8613800000000",
        "headers": {},
        "text": "Your order 订单 O-1 waits.",
        "values": {"order_id": "O-1"},
    }
    return Message(**{**usual, **fields})


class House:
    """The stand-ins, and channels opened on them."""

    def __init__(self, opened: Open, world: World) -> None:
        self.opened, self.world = opened, world

    def desk(self, provider: str, *faults: Fault) -> Desk:
        """Its books; the next calls fail as told."""
        desk = self.world.desks[provider]
        desk.faults.clear()
        desk.faults.extend(faults)
        desk.refusals.clear()
        desk.taken.clear()
        return desk

    def channel(self, provider: str, timeout: int = 20_000, **options: Any) -> Channel:
        whole = {**self.opened.options[provider], **options}
        return open_channel(provider, whole, timeout=timeout, now=lambda: NOW, place="x")

    def send(self, provider: str, *messages: Message, timeout: int = 20_000, **options: Any) -> list[Outcome]:
        """One after the other over one channel."""

        async def run() -> list[Outcome]:
            channel = self.channel(provider, timeout, **options)
            try:
                return [await channel.send(message) for message in messages]
            finally:
                await channel.close()

        return asyncio.run(run())
