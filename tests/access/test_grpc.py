"""Events over gRPC: the same answers as over HTTP, in gRPC's words."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from kairos.adapters.channels.webhook import signature
from kairos.adapters.settings_file import SettingsError
from kairos.adapters.sources import Access, Entry
from kairos.apps.grpc import server
from kairos.apps.grpc.events_pb2 import Event, Result, SendRequest, SendResponse
from kairos.engine.rule.model import Source
from tests.access.gateway_kit import NOW, ORDER, SHOP, Kit

ROOT = Path(__file__).parents[2]
SEND = "/kairos.v1.Events/Send"
KEY = (("x-api-key", "shop-key"),)
SECRET = b"0123456789abcdef0123456789abcdef"
SIGNED = Entry(Source("hook", ORDER), Access(hmac={"env": "HOOK_SECRET"}))
NATIVE = Entry(Source("till", ORDER, mapping={"type": "kind", "time": "at", "props": "*"}), SHOP.access)

Metadata = tuple[tuple[str, str], ...]
Scene = Callable[[aio.Channel], Awaitable[Any]]


def on_channel(kit: Kit, scene: Scene) -> Any:
    async def play() -> Any:
        await kit.registry.refresh()
        async with server.serving(kit.parts, "127.0.0.1", 0, 100, 5) as address:
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


def statuses(response: SendResponse) -> list[str]:
    return [Result.Status.Name(result.status) for result in response.results]


# ------------------------------------------------------------------------------------------------------------- events


def test_a_batch_is_in_kafka_when_it_is_answered() -> None:
    kit = Kit()
    response = send(kit, batch(order(), order(id="e2", user_id="u2")))
    assert (response.accepted, response.refused, statuses(response)) == (2, 0, ["ACCEPTED", "ACCEPTED"])
    assert [(record.topic, record.key, record.time) for record in kit.producer.records] == [
        ("events.shop", b"u1", NOW),
        ("events.shop", b"u2", NOW),
    ]
    assert kit.counters.value("kairos_gateway_calls_total", status="OK") == 1
    assert kit.room.used == 0


def test_each_event_has_a_result_of_its_own() -> None:
    kit = Kit()
    response = send(kit, batch(order(), order(props={}), order(type=...), order(time=5)))
    assert (response.accepted, response.refused) == (1, 3)
    assert statuses(response) == ["ACCEPTED", "REFUSED", "REFUSED", "REFUSED"]
    found = [(result.code, result.reason) for result in response.results]
    invalid = grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert found == [(0, ""), (invalid, "missing_prop"), (invalid, "bad_field"), (invalid, "bad_time")]
    assert response.results[2].message == "'type' is missing"
    assert [letter["reason"] for letter in kit.producer.letters] == ["missing_prop", "bad_field", "bad_time"]


def test_where_all_are_refused_the_reasons_still_arrive() -> None:
    assert statuses(send(Kit(), batch(order(user_id=...)))) == ["REFUSED"]


def test_no_events_are_no_mistake() -> None:
    assert send(Kit(), batch()) == SendResponse()


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        (80, 80),
        (-0.5, -0.5),
        (2**53, 2**53),
        (1e300, 1e300),
        ("é", "é"),
        (True, True),
        (None, None),
        ([1, "a", [2.5, {}]], [1, "a", [2.5, {}]]),
        ({"a": {"b": []}}, {"a": {"b": []}}),
    ],
)
def test_a_struct_becomes_the_json_that_it_stands_for(sent: Any, written: Any) -> None:
    kit = Kit()
    send(kit, batch(order(props={"order_id": "o1", "x": sent})))
    (event,) = kit.producer.events("events.shop")
    assert event["props"] == {"order_id": "o1", "x": written}
    assert type(event["props"]["x"]) is type(written)


def test_a_value_without_kind_is_null() -> None:
    kit, event = Kit(), order()
    event.props.fields["x"].SetInParent()
    send(kit, batch(event))
    assert kit.producer.events("events.shop")[0]["props"]["x"] is None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have(number: float) -> None:
    kit, event = Kit(), order()
    event.props["x"] = number
    (result,) = send(kit, batch(event)).results
    assert result.reason == "number_range"
    assert kit.producer.letters[0]["size"] == event.ByteSize()


def props_json(text: bytes) -> Event:
    event = order(props=...)
    event.props_json = text
    return event


def test_props_as_json_keep_large_integers() -> None:
    kit = Kit()
    send(kit, batch(props_json(b'{"order_id": "o1", "x": 9007199254740993}')))
    assert kit.producer.events("events.shop")[0]["props"]["x"] == 9007199254740993


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not_json"),
        (b"[]", "not_json"),
        (b'{"order_id": "o1", "order_id": "o2"}', "duplicate_key"),
        (b'{"order_id": NaN}', "not_json"),
        (b'{"a":' + b"[" * 60 + b"]" * 60 + b"}", "too_deep"),
        (b'{"order_id": "o1", "x": "' + b"y" * 1_000_000 + b'"}', "too_large"),
    ],
)
def test_props_that_are_no_json_object(text: bytes, reason: str) -> None:
    kit = Kit()
    (result,) = send(kit, batch(props_json(text))).results
    assert result.reason == reason
    assert kit.producer.letters[0]["reason"] == reason


def test_a_source_of_its_own_format_sends_whole_documents() -> None:
    kit = Kit(NATIVE)
    text = b'{"id": "e1", "kind": "order_created", "user_id": "u1", "at": %d, "order_id": "o1"}' % NOW
    response = send(kit, batch(Event(json=text), Event(json=text, id="e1", time=5), order()))
    assert statuses(response) == ["ACCEPTED", "REFUSED", "ACCEPTED"]
    assert response.results[1].message == "'json' is the whole event; id, time must be empty beside it"
    first, second = kit.producer.events("events.till")
    assert first["type"] == second["type"] == "order_created"
    assert first["props"]["kind"] == "order_created"


def test_a_device_waits_for_its_user() -> None:
    kit = Kit()
    seen = order(type="view", user_id=..., props={"device_id": "d1"})
    said = order(type="identify", props={"device_id": "d1"})
    assert statuses(send(kit, batch(seen, said), (("x-api-key", "app-key"),))) == ["WAITING", "BOUND"]
    (event,) = kit.producer.events("events.app")
    assert (event["user_id"], event["merged"]) == ("u1", True)


# ------------------------------------------------------------------------------------------------------ who may send


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
    assert kit.counters.value("kairos_gateway_problems_total", code=expected[1]) == 1
    assert kit.counters.value("kairos_gateway_calls_total", status=expected[0].name) == 1


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


# ------------------------------------------------------------------------------------------------- what is too much


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
    from kairos.adapters.sources import SourceStoreError

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


# ---------------------------------------------------------------------------------------------------------- reading


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


def test_a_port_that_is_taken() -> None:
    async def twice() -> None:
        async with server.serving(Kit().parts, "127.0.0.1", 0, 100, 5) as address:
            port = int(address.rpartition(":")[2])
            async with server.serving(Kit().parts, "127.0.0.1", port, 100, 5):
                pass

    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:\d+: cannot listen there for gRPC"):
        asyncio.run(twice())


# -------------------------------------------------------------------------------------------------------- generated


def test_the_generated_code_is_of_the_definition(tmp_path: Path) -> None:
    definition = "kairos/apps/grpc/events.proto"
    arguments = ["-I.", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", definition]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], cwd=ROOT, check=True)
    for name in ("events_pb2.py", "events_pb2.pyi"):
        made = (tmp_path / "kairos/apps/grpc" / name).read_text()
        assert (ROOT / "kairos/apps/grpc" / name).read_text() == made, f"{definition} says how {name} is made"
