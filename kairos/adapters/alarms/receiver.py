"""Who is told of an alarm: anything that a channel's provider can write to."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec

from kairos.adapters.channels.channel import Accepted, Channel, Message, Retry, Unknown
from kairos.engine.alarm.spec import Change

log = logging.getLogger(__name__)


class Receiver(Protocol):
    """`repeats`: it forgets, so it is told again and again what is still firing."""

    repeats: bool

    async def tell(self, changes: Sequence[Change]) -> list[Change]:
        """Those that it has taken, or never will; the others are told again. Raises nothing for a provider's sake."""
        ...

    async def close(self) -> None: ...


def title_of(change: Change) -> str:
    """`SendsStopped: order_unpaid by push`"""
    where = " by ".join(part for part in (change.subject, change.channel) if part)
    head = change.alarm if change.firing else f"over: {change.alarm}"
    return f"{head}: {where}" if where else head


class ChannelReceiver:
    """One message a change, to one address. What is told twice has the same key."""

    repeats = False

    def __init__(self, name: str, channel: Channel, to: str | None, runbooks: str) -> None:
        self._name, self._channel, self._to, self._runbooks = name, channel, to, runbooks

    async def tell(self, changes: Sequence[Change]) -> list[Change]:
        taken = []
        for change in changes:
            outcome = await self._channel.send(self._message(change))
            if not isinstance(outcome, Accepted):
                log.warning("receiver %s does not take '%s': %s", self._name, title_of(change), outcome.reason)
            if not isinstance(outcome, Retry | Unknown):
                taken.append(change)
        return taken

    async def close(self) -> None:
        await self._channel.close()

    def _message(self, change: Change) -> Message:
        runbook = f"{self._runbooks}{change.runbook}"
        said = f"{change.alarm}/{change.subject}/{change.channel}/{change.at}/{change.firing}"
        key = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
        title = title_of(change)
        return Message(
            key=key,
            activity=change.alarm,
            user_id="",
            occurrence=key[:16],
            attempt=1,
            channel=self._name,
            template=None,
            address=self._to,
            headers={"subject": title, "title": title, "link": runbook},
            text=f"{title}\n{change.text}\n{runbook}",
            values=msgspec.to_builtins(change) | {"runbook": runbook},
            service=True,
        )
