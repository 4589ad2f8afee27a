"""Events over gRPC: what a message becomes, and what comes back for each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from kairos.adapters.metrics.declared import CALLS
from kairos.adapters.sources.port import Entry
from kairos.apps.grpc.events_pb2 import Event, Result, SendResponse
from kairos.engine.rule.model import Source
from tests.access.gateway.gateway_kit import NOW, ORDER, SHOP, Kit
from tests.access.grpc.grpc_kit import batch, order, send

ROOT = Path(__file__).parents[3]
NATIVE = Entry(Source("till", ORDER, mapping={"type": "kind", "time": "at", "props": "*"}), SHOP.access)


def statuses(response: SendResponse) -> list[str]:
    return [Result.Status.Name(result.status) for result in response.results]


def test_a_batch_is_in_kafka_when_it_is_answered() -> None:
    kit = Kit()
    response = send(kit, batch(order(), order(id="e2", user_id="u2")))
    assert (response.accepted, response.refused, statuses(response)) == (2, 0, ["ACCEPTED", "ACCEPTED"])
    assert [(record.topic, record.key, record.time) for record in kit.producer.records] == [
        ("events.shop", b"u1", NOW),
        ("events.shop", b"u2", NOW),
    ]
    assert kit.metrics.value(CALLS, status="OK") == 1
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
    for sent, status in ((seen, "WAITING"), (said, "BOUND")):
        assert statuses(send(kit, batch(sent), (("x-api-key", "app-key"),))) == [status]
    (event,) = kit.producer.events("events.app")
    assert (event["user_id"], event["merged"]) == ("u1", True)


def test_the_generated_code_is_of_the_definition(tmp_path: Path) -> None:
    definition = "kairos/apps/grpc/events.proto"
    arguments = ["-I.", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", definition]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], cwd=ROOT, check=True)
    for name in ("events_pb2.py", "events_pb2.pyi"):
        made = (tmp_path / "kairos/apps/grpc" / name).read_text()
        assert (ROOT / "kairos/apps/grpc" / name).read_text() == made, f"{definition} says how {name} is made"
