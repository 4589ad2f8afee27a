"""Messages over gRPC that come late, or never: nobody else waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc import aio

from kairos.apps.grpc import server
from kairos.apps.grpc.events_pb2 import SendResponse
from tests.access.gateway.gateway_kit import Kit
from tests.access.grpc.grpc_kit import KEY, SEND, batch, on_channel, order, told


async def silence() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def test_a_message_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message at a time may be read here: the next sender's turn comes when the silent one is given up."""
    monkeypatch.setattr(server, "READ_SECONDS", 0.2)
    kit = Kit(max_body=1_000, memory=1_000)

    async def scene(channel: aio.Channel) -> tuple[aio.AioRpcError, bytes]:
        silent = channel.stream_unary(SEND)(silence(), metadata=KEY, timeout=60)
        await silent.wait_for_connection()
        answer = await channel.unary_unary(SEND)(batch(order()).SerializeToString(), metadata=KEY, timeout=60)
        with pytest.raises(aio.AioRpcError) as caught:
            await silent
        return caught.value, answer

    error, answer = on_channel(kit, scene)
    assert told(error) == (grpc.StatusCode.DEADLINE_EXCEEDED, "slow")
    assert SendResponse.FromString(answer).accepted == 1


def test_slow_calls_of_one_source_do_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "READ_SECONDS", 600)
    kit = Kit(max_body=1_000, memory=4_000)

    async def scene(channel: aio.Channel) -> bytes:
        slow = [channel.stream_unary(SEND)(silence(), metadata=KEY, timeout=600) for _ in range(20)]
        for call in slow:
            await call.wait_for_connection()
        other = (("x-api-key", "app-key"),)
        answer = await channel.unary_unary(SEND)(batch(order()).SerializeToString(), metadata=other, timeout=60)
        for call in slow:
            call.cancel()
        return bytes(answer)

    assert SendResponse.FromString(on_channel(kit, scene)).accepted == 1


def test_more_calls_at_once_than_there_may_be() -> None:
    async def scene(channel: aio.Channel) -> None:
        silent = channel.stream_unary(SEND)(silence(), metadata=KEY, timeout=60)
        await silent.wait_for_connection()
        try:
            while True:  # until the silent one has come in
                await channel.unary_unary(SEND)(b"", metadata=KEY, timeout=60)
        finally:
            silent.cancel()

    with pytest.raises(aio.AioRpcError) as caught:
        on_channel(Kit(), scene, calls=1)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_call_without_message() -> None:
    async def scene(channel: aio.Channel) -> None:
        await channel.stream_unary(SEND)(nothing(), metadata=KEY, timeout=60)

    with pytest.raises(aio.AioRpcError) as caught:
        on_channel(Kit(), scene)
    assert told(caught.value) == (grpc.StatusCode.INVALID_ARGUMENT, "no_message")


def test_a_stranger_is_refused_before_the_message_is_there() -> None:
    async def scene(channel: aio.Channel) -> None:
        await channel.stream_unary(SEND)(silence(), metadata=(("x-api-key", "guess"),), timeout=60)

    with pytest.raises(aio.AioRpcError) as caught:
        on_channel(Kit(), scene)
    assert told(caught.value) == (grpc.StatusCode.UNAUTHENTICATED, "unknown_key")
