"""The gRPC server of the gateway: the same sources, keys, limits and intake as over HTTP.

`Send` takes one message and is served as if it took a stream: so its sender is known before the message is read, and
no more are read at once than fit into the gateway's memory. On the wire there is no difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc import aio

from kairos.adapters.settings_file import SettingsError
from kairos.apps.gateway.auth import sender
from kairos.apps.gateway.body import READ_SECONDS
from kairos.apps.gateway.problem import Problem
from kairos.apps.gateway.server import CALLS_TOTAL, PROBLEMS_TOTAL
from kairos.apps.gateway.taking import Parts, take
from kairos.apps.grpc.messages import read_request, write_response
from kairos.apps.grpc.refusal import code_of, metadata_of

SERVICE = "kairos.v1.Events"
SOURCE = "kairos-source"
"""Metadata that names the source of a signed call, as `?source=` does over HTTP."""

Context = aio.ServicerContext[bytes, bytes]


class Events:
    """The service. Messages are bytes here: a signature is over them as they came."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reading = asyncio.Semaphore(max(1, parts.room.most // parts.max_body))

    def handler(self) -> grpc.GenericRpcHandler:
        send: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(self.send)
        return grpc.method_handlers_generic_handler(SERVICE, {"Send": send})

    async def send(self, messages: AsyncIterator[bytes], context: Context) -> bytes:
        counters = self._parts.counters
        try:
            answer = await self._answer(messages, context)
        except Problem as problem:
            counters.add(PROBLEMS_TOTAL, code=problem.code)
            counters.add(CALLS_TOTAL, status=code_of(problem).name)
            await context.abort(code_of(problem), problem.message, metadata_of(problem))
        counters.add(CALLS_TOTAL, status=grpc.StatusCode.OK.name)
        return answer

    async def _answer(self, messages: AsyncIterator[bytes], context: Context) -> bytes:
        headers = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        door = sender(headers, headers.get(SOURCE), self._parts.registry)
        async with self._received(messages) as message:
            outcomes = await take(self._parts, headers, door, message, lambda: read_request(message))
        return write_response(outcomes)

    @asynccontextmanager
    async def _received(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The one message. Raises Problem."""
        async with self._reading:
            message = await _first(messages)
        self._parts.room.take(len(message))
        try:
            yield message
        finally:
            self._parts.room.give(len(message))


async def _first(messages: AsyncIterator[bytes]) -> bytes:
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for message in messages:
                return message
    except TimeoutError:
        raise Problem(408, "slow", f"the message did not arrive within {READ_SECONDS:.0f} s") from None
    raise Problem(400, "no_message", "the call ended before its message")


@asynccontextmanager
async def serving(parts: Parts, host: str, port: int, calls: int, stop_seconds: float) -> AsyncIterator[str]:
    """While it serves; yields its address. `calls`: at once. At the end those under way have `stop_seconds`.

    Raises SettingsError for a port that is taken.
    """
    server = aio.server(options=_options(parts), maximum_concurrent_rpcs=calls)
    server.add_generic_rpc_handlers((Events(parts).handler(),))
    place = f"[{host}]" if ":" in host else host
    try:
        bound = server.add_insecure_port(f"{place}:{port}")
    except RuntimeError:
        raise SettingsError(f"{place}:{port}: cannot listen there for gRPC (gateway.grpc_port)") from None
    await server.start()
    try:
        yield f"grpc://{place}:{bound}"
    finally:
        await server.stop(stop_seconds)


def _options(parts: Parts) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", parts.max_body),
        ("grpc.compression_enabled_algorithms_bitset", 1),  # identity alone: what is packed is unpacked without a limit
        ("grpc.http2.bdp_probe", 0),  # or a message that nobody reads yet fills ever larger windows
        ("grpc.so_reuseport", 0),  # or two gateways share a port without noticing
    ]
