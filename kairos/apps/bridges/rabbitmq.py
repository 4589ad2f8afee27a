"""A RabbitMQ queue as a feed: manual acknowledgement, prefetch, and a channel of its own for each connection.

aiormq rather than a client that reconnects by itself: delivery tags end with their channel, so what was taken over a
lost one must not be acknowledged over the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

import aiormq
from aiormq.abc import DeliveredMessage
from pamqp import commands
from yarl import URL

from kairos.apps.bridges.feed import IDLE_SECONDS, FeedLostError, batch_of
from kairos.usecases.intake.batch import Item

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
TROUBLE = (aiormq.exceptions.AMQPError, aiormq.exceptions.ChannelInvalidStateError, OSError, TimeoutError)


async def open_queue(url: URL, queue: str, prefetch: int) -> RabbitFeed:
    """Raises FeedLostError."""
    place = place_of(url)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await aiormq.connect(url)
            try:
                channel = await connection.channel(publisher_confirms=False)
                await channel.basic_qos(prefetch_count=prefetch)
                feed = RabbitFeed(connection, channel, place)
                await channel.basic_consume(queue, feed.hear)
            except BaseException:
                await _close(connection)
                raise
    except aiormq.exceptions.ChannelNotFoundEntity:
        raise FeedLostError(f"there is no queue '{queue}' at {place}; whoever fills it declares it") from None
    except aiormq.exceptions.InvalidFrameError:  # what aiormq makes of a connection that is closed as it opens
        raise FeedLostError(f"{place}: the virtual host is not there, or not for this user") from None
    except TROUBLE as error:
        raise FeedLostError(f"{place} does not let us read '{queue}': {_reason(error)}") from None
    return feed


class TolerantProperties(commands.Basic.Properties):
    """A message whose properties cannot be read (a timestamp of the year 292,278,994) is one that lacks them, as far as
    they come after that. pamqp fails instead, aiormq's connection with it, and RabbitMQ gives the message again."""

    def unmarshal(self, flags: int, data: bytes) -> None:
        with suppress(Exception):
            super().unmarshal(flags, data)


commands.Basic.Properties = TolerantProperties  # type: ignore[misc]


class RabbitFeed:
    def __init__(self, connection: aiormq.abc.AbstractConnection, channel: aiormq.abc.AbstractChannel, place: str):
        self._connection, self._channel, self._place = connection, channel, place
        self._waiting: deque[tuple[Item, int]] = deque()
        self._something = asyncio.Event()
        self._lost: str | None = None
        self._tag = 0
        channel.closing.add_done_callback(self._closed)
        channel.on_consumer_cancel_callbacks.add(self._cancelled)

    async def hear(self, message: DeliveredMessage) -> None:
        if (tag := message.delivery_tag) is not None:  # only an answer to basic.get has none
            self._waiting.append((item_of(message), tag))
            self._something.set()

    async def take(self) -> list[Item]:
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await self._something.wait()
        if self._lost is not None:
            raise FeedLostError(self._lost)
        batch = batch_of(self._waiting)
        if not self._waiting:
            self._something.clear()
        if batch:
            self._tag = batch[-1][1]
        return [item for item, _ in batch]

    async def done(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._channel.basic_ack(self._tag, multiple=True)
        except TROUBLE as error:
            raise FeedLostError(self._lost or f"{self._place}: {_reason(error)}") from None

    async def close(self) -> None:
        await _close(self._connection)

    def _closed(self, closing: asyncio.Future[Any]) -> None:
        error = None if closing.cancelled() else closing.exception()
        self._lose(f"the connection to {self._place} is lost" + (f": {_reason(error)}" if error else ""))

    def _cancelled(self, _frame: Any) -> None:
        self._lose(f"{self._place} gives nothing more: the queue was deleted")

    def _lose(self, why: str) -> None:
        self._lost = self._lost or why
        self._something.set()


def item_of(message: DeliveredMessage) -> Item:
    """`message_id`, `type` and `timestamp` (AMQP's are whole seconds) stand in for what the body does not have."""
    properties = message.header.properties
    time = properties.timestamp
    beside = {
        **({"id": properties.message_id} if properties.message_id else {}),
        **({"type": properties.message_type} if properties.message_type else {}),
        **({"time": int(time.timestamp() * 1000)} if time is not None else {}),
    }
    return Item(message.body, beside=beside)


def place_of(url: URL) -> str:
    """Without user and password."""
    return f"RabbitMQ at {url.host}:{url.port or (5671 if url.scheme == 'amqps' else 5672)}{url.path or '/'}"


async def _close(connection: aiormq.abc.AbstractConnection) -> None:
    """RabbitMQ gives what was not acknowledged to the next consumer."""
    with suppress(*TROUBLE):
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError | asyncio.CancelledError):
        return "no answer"
    return str(error) or type(error).__name__
