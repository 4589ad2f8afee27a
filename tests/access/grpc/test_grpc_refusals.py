"""Calls over gRPC that are not served: the answers of HTTP, as a status with its details."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc import aio

from kairos.adapters.channels.webhook import signature
from kairos.adapters.kafka.producer import Record, Refused
from kairos.adapters.metrics.declared import CALLS, PROBLEMS
from kairos.adapters.settings.file import SettingsError
from kairos.adapters.sources.port import Access, Entry, SourceStoreError
from kairos.apps.grpc import server
from kairos.apps.grpc.events_pb2 import Event, SendResponse
from kairos.engine.rule.model import Source
from tests.access.gateway.gateway_kit import NOW, ORDER, SHOP, Kit
from tests.access.grpc.grpc_kit import KEY, SEND, Metadata, batch, details, on_channel, order, refusal, send, told

SECRET = b"0123456789abcdef0123456789abcdef"


SIGNED = Entry(Source("hook", ORDER), Access(hmac={"env": "HOOK_SECRET"}))


@pytest.mark.parametrize(
    "metadata",
    [
        KEY,
        (("authorization", "Bearer shop-key"),),
        (("authorization", "Basic " + base64.b64encode(b"shop-key:").decode()),),
    ],
)
def test_an_api_key_is_metadata(metadata: Metadata) -> None:
    assert send(Kit(), batch(order()), metadata).accepted == 1


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ((), (grpc.StatusCode.UNAUTHENTICATED, "no_key")),
        ((("x-api-key", "guess"),), (grpc.StatusCode.UNAUTHENTICATED, "unknown_key")),
        ((("authorization", "Basic ????"),), (grpc.StatusCode.UNAUTHENTICATED, "bad_key")),
        ((*KEY, ("kairos-source", "app")), (grpc.StatusCode.PERMISSION_DENIED, "wrong_source")),
    ],
)
def test_strangers(metadata: Metadata, expected: tuple[grpc.StatusCode, str]) -> None:
    kit = Kit()
    assert told(refusal(kit, batch(order()), metadata)) == expected
    assert kit.producer.records == []
    assert kit.metrics.value(PROBLEMS, code=expected[1]) == 1
    assert kit.metrics.value(CALLS, status=expected[0].name) == 1


def test_a_source_that_is_switched_off() -> None:
    off = Entry(Source("shop", ORDER, enabled=False), SHOP.access)
    assert told(refusal(Kit(off), batch(order()))) == (grpc.StatusCode.PERMISSION_DENIED, "disabled_source")


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Kit:
    monkeypatch.setenv("HOOK_SECRET", "whsec_" + base64.b64encode(SECRET).decode())
    return Kit(SIGNED)


def signed(message: bytes) -> Metadata:
    stamp = NOW // 1000
    made = signature(SECRET, "m1", stamp, message)
    names = ("kairos-source", "webhook-id", "webhook-timestamp", "webhook-signature")
    return tuple(zip(names, ("hook", "m1", str(stamp), made), strict=True))


def test_a_signature_is_over_the_message_as_it_is_sent(hook: Kit) -> None:
    message = batch(order()).SerializeToString()
    other = batch(order(id="e2")).SerializeToString()
    assert told(refusal(hook, other, signed(message))) == (grpc.StatusCode.UNAUTHENTICATED, "wrong_signature")
    assert send(hook, message, signed(message)).accepted == 1
    assert told(refusal(hook, message, signed(message))) == (grpc.StatusCode.ALREADY_EXISTS, "replayed")


def pushback(error: aio.AioRpcError) -> int:
    """Milliseconds, said twice: to programs that read details, and to gRPC's own retries."""
    (info,) = details(error, RetryInfo)
    milliseconds = int(error.trailing_metadata()["grpc-retry-pushback-ms"])
    assert info.retry_delay.ToMilliseconds() == milliseconds
    return milliseconds


def test_faster_than_the_source_may() -> None:
    kit = Kit(Entry(SHOP.source, Access(SHOP.access.keys, rate=10)))
    many = batch(*(order(id=str(number)) for number in range(50)))
    assert send(kit, many).accepted == 50
    error = refusal(kit, many)
    assert told(error) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "too_fast")
    assert pushback(error) == 3_000
    kit.now += 3_001
    assert send(kit, batch(order())).accepted == 1


def test_more_than_its_share_while_kafka_is_slow() -> None:
    kit = Kit()
    kit.slow(600)
    many = batch(*(order(id=str(number)) for number in range(500)))
    for _ in range(4):  # two until it is called slow, and two until its share is used up
        assert send(kit, many).accepted == 500
    error = refusal(kit, many)
    assert told(error) == (grpc.StatusCode.UNAVAILABLE, "shed")
    assert pushback(error) == 1_000


def test_kafka_is_away() -> None:
    kit = Kit()
    kit.producer.away = True
    error = refusal(kit, batch(order()))
    assert told(error) == (grpc.StatusCode.UNAVAILABLE, "unavailable")
    assert pushback(error) == 1_000
    kit.producer.away = False
    assert send(kit, batch(order())).accepted == 1


def test_before_the_sources_are_known() -> None:
    kit = Kit()
    kit.store.read = broken  # type: ignore[method-assign]
    error = refusal(kit, batch(order()))
    assert told(error) == (grpc.StatusCode.UNAVAILABLE, "not_ready")


def broken() -> Any:
    raise SourceStoreError("away")


@pytest.mark.parametrize("message", [b"\xff\xff", b"not protobuf", batch(order()).SerializeToString()[:-1]])
def test_bytes_that_are_no_message(message: bytes) -> None:
    assert told(refusal(Kit(), message)) == (grpc.StatusCode.INVALID_ARGUMENT, "not_protobuf")


def field(number: int, content: bytes) -> bytes:
    """As protobuf writes it: tag, length in groups of seven bits, content."""
    size, length = len(content), []
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def test_lists_that_are_nested_too_deeply() -> None:
    """Written by hand: no protobuf library would."""
    value = b""
    for _ in range(200):
        value = field(6, field(1, value))
    struct = field(1, field(1, b"a") + field(2, value))
    assert told(refusal(Kit(), field(1, field(5, struct)))) == (grpc.StatusCode.INVALID_ARGUMENT, "not_protobuf")


def test_more_events_than_one_call_may_bring() -> None:
    kit = Kit()
    error = refusal(kit, batch(*[Event()] * 10_001))
    assert told(error) == (grpc.StatusCode.INVALID_ARGUMENT, "too_many")
    assert kit.producer.records == []


def test_a_message_larger_than_a_body() -> None:
    kit = Kit(max_body=1_000)
    assert refusal(kit, b"x" * 1_001).code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert kit.room.used == 0


def test_packed_messages_are_not_taken() -> None:
    error = refusal(Kit(), batch(order()), compression=grpc.Compression.Gzip)
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def test_all_messages_together_have_a_limit() -> None:
    kit = Kit(memory=5)
    assert told(refusal(kit, batch(order()))) == (grpc.StatusCode.UNAVAILABLE, "busy")
    assert kit.room.used == 0


def test_an_event_larger_than_its_source_may_send() -> None:
    kit = Kit(Entry(SHOP.source, Access(SHOP.access.keys, max_bytes=200)))
    response = send(kit, batch(order(), order(props={"order_id": "x" * 200})))
    assert [result.reason for result in response.results] == ["", "too_large"]


def test_another_method() -> None:
    async def scene(channel: aio.Channel) -> None:
        await channel.unary_unary("/kairos.v1.Events/Receive")(b"", timeout=60)

    with pytest.raises(aio.AioRpcError) as caught:
        on_channel(Kit(), scene)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


class Slow:
    """A producer that publishes when it is let: `asked` when somebody waits for it."""

    def __init__(self, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
        self._publish = kit.producer.publish
        self.asked, self.free = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(kit.producer, "publish", self.publish)

    async def publish(self, records: Sequence[Record]) -> Refused:
        self.asked.set()
        await self.free.wait()
        return await self._publish(records)


async def closed(target: str) -> None:
    """Returns when nobody listens there any more."""
    host, _, port = target.partition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except ConnectionRefusedError:
            return
        writer.close()


def test_a_call_under_way_is_finished_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    slow = Slow(kit, monkeypatch)

    async def play() -> bytes:
        await kit.registry.refresh()
        async with AsyncExitStack() as client, asyncio.TaskGroup() as group:
            async with server.serving(kit.parts, "127.0.0.1", 0, 100, 60) as address:
                target = address.removeprefix("grpc://")
                channel = await client.enter_async_context(aio.insecure_channel(target))
                message = batch(order()).SerializeToString()
                call = channel.unary_unary(SEND)(message, metadata=KEY, timeout=60)
                await slow.asked.wait()
                group.create_task(closed(target)).add_done_callback(lambda _: slow.free.set())
            return await call

    assert SendResponse.FromString(asyncio.run(play())).accepted == 1


def test_who_does_not_wait_holds_nothing(hook: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither memory, nor the signature: the same call may come again."""
    slow, message = Slow(hook, monkeypatch), batch(order()).SerializeToString()

    async def scene(channel: aio.Channel) -> bytes:
        call = channel.unary_unary(SEND)(message, metadata=signed(message), timeout=60)
        await slow.asked.wait()
        assert hook.room.used == len(message)
        call.cancel()
        while hook.room.used:
            await asyncio.sleep(0)
        slow.asked.clear()
        again = channel.unary_unary(SEND)(message, metadata=signed(message), timeout=60)
        await slow.asked.wait()
        slow.free.set()
        return await again

    assert SendResponse.FromString(on_channel(hook, scene)).accepted == 1
    assert hook.room.used == 0


def test_a_port_that_is_taken() -> None:
    async def twice() -> None:
        async with server.serving(Kit().parts, "127.0.0.1", 0, 100, 5) as address:
            port = int(address.rpartition(":")[2])
            async with server.serving(Kit().parts, "127.0.0.1", port, 100, 5):
                pass

    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:\d+: cannot listen there for gRPC"):
        asyncio.run(twice())
