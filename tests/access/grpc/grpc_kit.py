"""Calls of the gateway over gRPC, inside this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from kairos.apps.grpc import server
from kairos.apps.grpc.events_pb2 import Event, SendRequest, SendResponse
from tests.access.gateway.gateway_kit import NOW, Kit

SEND = "/kairos.v1.Events/Send"
KEY = (("x-api-key", "shop-key"),)

Metadata = tuple[tuple[str, str], ...]
Scene = Callable[[aio.Channel], Awaitable[Any]]


def on_channel(kit: Kit, scene: Scene, calls: int = 100) -> Any:
    async def play() -> Any:
        await kit.registry.refresh()
        async with server.serving(kit.parts, "127.0.0.1", 0, calls, 5) as address:
            options = [("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0)]
            async with aio.insecure_channel(address.removeprefix("grpc://"), options) as channel:
                return await scene(channel)

    return asyncio.run(play())


def send(kit: Kit, request: SendRequest | bytes, metadata: Metadata = KEY, **options: Any) -> SendResponse:
    """One call. Raises aio.AioRpcError."""
    message = request if isinstance(request, bytes) else request.SerializeToString()

    async def scene(channel: aio.Channel) -> bytes:
        return await channel.unary_unary(SEND)(message, metadata=metadata, timeout=60, **options)

    return SendResponse.FromString(on_channel(kit, scene))


def refusal(kit: Kit, request: SendRequest | bytes, metadata: Metadata = KEY, **options: Any) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        send(kit, request, metadata, **options)
    return caught.value


def told(error: aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """Code of gRPC, and of the problem."""
    (info,) = details(error, ErrorInfo)
    return error.code(), info.reason.lower()


def details(error: aio.AioRpcError, kind: Any) -> list[Any]:
    status = Status.FromString(error.trailing_metadata()["grpc-status-details-bin"])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    found = []
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            found.append(kind())
            packed.Unpack(found[-1])
    return found


def order(**fields: Any) -> Event:
    good = {"id": "e1", "type": "order_created", "user_id": "u1", "time": NOW, "props": {"order_id": "o1"}}
    return ParseDict({name: value for name, value in {**good, **fields}.items() if value is not ...}, Event())


def batch(*events: Event) -> SendRequest:
    return SendRequest(events=events)
