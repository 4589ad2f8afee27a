"""The gRPC server of the gateway: the same sources, keys, limits and intake as over HTTP.

`Send` takes one message and is served as if it took a stream: so its sender is known before the message is read, and
no more are read at once than fit into the gateway's memory. On the wire there is no difference.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc import aio

from kairos.adapters.metrics.declared import ANSWERS, CALLS, PROBLEMS
from kairos.adapters.settings.file import SettingsError
from kairos.apps.gateway.auth import check_signed, sender
from kairos.apps.gateway.problem import Problem
from kairos.apps.gateway.server import result_of
from kairos.apps.gateway.taking import Parts, check_rate, take
from kairos.apps.grpc.messages import read_request, write_response
from kairos.apps.grpc.refusal import code_of, metadata_of
from kairos.apps.logs import trace_of, traced

SERVICE = "kairos.v1.Events"
SOURCE = "kairos-source"
"""Metadata that names the source of a signed call, as `?source=` does over HTTP."""

READ_SECONDS = 10.0
"""For a message, once its turn has come."""

Context = aio.ServicerContext[bytes, bytes]


class Events:
    """The service. Messages are bytes here: a signature is over them as they came."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._most = max(1, parts.room.most // parts.max_body)
        self._reading = asyncio.Semaphore(self._most)
        self._turns: dict[str, asyncio.Semaphore] = {}
        """By source: who sends slowly holds up no other."""

    def handler(self) -> grpc.GenericRpcHandler:
        send: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(self.send)
        return grpc.method_handlers_generic_handler(SERVICE, {"Send": send})

    async def send(self, messages: AsyncIterator[bytes], context: Context) -> bytes:
        begun, headers = time.perf_counter(), _headers(context)
        with traced(trace_of(headers.get("traceparent"))):
            try:
                answer = await self._answer(messages, headers)
            except Problem as problem:
                self._parts.metrics.add(PROBLEMS, code=problem.code)
                self._ended(begun, code_of(problem), result_of(problem.status))
                await context.abort(code_of(problem), problem.message, metadata_of(problem))
        self._ended(begun, grpc.StatusCode.OK, "taken")
        return answer

    def _ended(self, begun: float, code: grpc.StatusCode, result: str) -> None:
        self._parts.metrics.add(CALLS, status=code.name)
        self._parts.metrics.took(ANSWERS, time.perf_counter() - begun, door="grpc", result=result)

    async def _answer(self, messages: AsyncIterator[bytes], headers: dict[str, str]) -> bytes:
        door = sender(headers, headers.get(SOURCE), self._parts.registry)
        check_signed(headers, door, self._parts.clock())
        check_rate(self._parts, door)
        async with self._received(door.name, messages) as message:
            outcomes = await take(self._parts, headers, door, message, lambda: read_request(message))
        return write_response(outcomes)

    @asynccontextmanager
    async def _received(self, source: str, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The one message. Of one source no more than half as many are read at once as of all. Raises Problem."""
        turn = self._turns.setdefault(source, asyncio.Semaphore(max(1, self._most // 2)))
        async with turn, self._reading:
            message = await _first(messages)
        self._parts.room.take(source, len(message))
        try:
            yield message
        finally:
            self._parts.room.give(source, len(message))


def _headers(context: Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


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
