"""A RabbitMQ queue as a shop fills it."""

from __future__ import annotations

import asyncio

import aiormq


def declare(url: str, queue: str) -> None:
    asyncio.run(_with_queue(url, queue, None))


def publish(url: str, queue: str, message_id: str, body: bytes) -> None:
    """Returns when RabbitMQ has confirmed that it has it."""
    properties = aiormq.spec.Basic.Properties(message_id=message_id, delivery_mode=2)
    asyncio.run(_with_queue(url, queue, (body, properties)))


async def _with_queue(url: str, queue: str, message: tuple[bytes, aiormq.spec.Basic.Properties] | None) -> None:
    connection = await aiormq.connect(url)
    try:
        channel = await connection.channel(publisher_confirms=True)
        await channel.queue_declare(queue, durable=True)
        if message is not None:
            body, properties = message
            await channel.basic_publish(body, routing_key=queue, properties=properties)
    finally:
        await connection.close()
