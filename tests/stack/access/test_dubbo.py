"""Dubbo 3, as it is, calls the gateway over Triple: its events are in Kafka, and its mistakes come back as statuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from kairos.apps.grpc.events_pb2 import Event, Result, SendRequest
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway.gateway_process import GatewayProcess, eventually, now, running
from tests.stack.access.dubbo import DubboSender, StatusError

pytestmark = [pytest.mark.stack, pytest.mark.slow]

ORDERS = {"order_created": EventSchema({"order_id": "string"}, ("order_id",))}


@pytest.fixture(scope="module")
def gateway(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder, options = tmp_path_factory.mktemp("gateway"), ("--set", "gateway.grpc_port=0")
    with running(folder, stack.settings.kafka, stack.settings.redis_url, options) as process:
        yield process


@pytest.fixture(scope="module")
def dubbo(gateway: GatewayProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DubboSender]:
    said = eventually(lambda: gateway.said().partition("takes events at grpc://127.0.0.1:")[2].partition("\n")[0])
    with DubboSender(tmp_path_factory.mktemp("dubbo"), int(said)) as sender:
        yield sender


def order(id_: str, **props: Any) -> Event:
    fields = {"id": id_, "type": "order_created", "user_id": f"u-{id_}", "time": now()}
    return ParseDict({**fields, "props": {"order_id": "o1", **props}}, Event())


def test_its_events_are_in_kafka(gateway: GatewayProcess, dubbo: DubboSender) -> None:
    source = gateway.source(ORDERS)
    bare = order("c")
    bare.props.Clear()
    response = dubbo.send(source, SendRequest(events=[order("a", note="忘れ物 é", lines=[{"n": 2}]), order("b"), bare]))

    assert (response.accepted, response.refused) == (2, 1)
    assert [Result.Status.Name(result.status) for result in response.results] == ["ACCEPTED", "ACCEPTED", "REFUSED"]
    assert response.results[2].reason == "missing_prop"
    first, second = sorted(gateway.records(source), key=lambda record: record["id"])
    assert (first["key"], first["user_id"], first["source"]) == ("u-a", "u-a", source)
    assert first["props"] == {"order_id": "o1", "note": "忘れ物 é", "lines": [{"n": 2}]}
    assert first["ts"] == first["time"]
    assert second["id"] == "b"


def test_many_calls_lose_nothing(gateway: GatewayProcess, dubbo: DubboSender) -> None:
    source = gateway.source(ORDERS)
    for call in range(50):
        batch = [order(f"{call}-{place}") for place in range(20)]
        assert dubbo.send(source, SendRequest(events=batch)).accepted == 20
    assert len({record["id"] for record in gateway.records(source)}) == len(gateway.records(source)) == 1_000


def refusal(dubbo: DubboSender, key: str, request: SendRequest) -> StatusError:
    with pytest.raises(StatusError) as caught:
        dubbo.send(key, request)
    return caught.value


def test_its_mistakes_have_a_status(gateway: GatewayProcess, dubbo: DubboSender) -> None:
    source = gateway.source(ORDERS)
    stranger = refusal(dubbo, "guess", SendRequest(events=[order("a")]))
    assert stranger.name == "UNAUTHENTICATED"
    assert "no source takes this API key" in stranger.description
    crowd = refusal(dubbo, source, SendRequest(events=[Event()] * 10_001))
    assert (crowd.name, crowd.description) == ("INVALID_ARGUMENT", "10001 events; at most 10000 are taken at once")


def test_too_fast_is_told_as_such(gateway: GatewayProcess, dubbo: DubboSender) -> None:
    source = gateway.source(ORDERS)
    gateway.store.set(source, {"rate": 1}, "rate", "tests")
    batch = SendRequest(events=[order(str(place)) for place in range(500)])

    def refused() -> StatusError | None:
        try:
            dubbo.send(source, batch)
        except StatusError as error:
            return error
        return None

    error = eventually(refused)
    assert (error.name, error.description) == ("RESOURCE_EXHAUSTED", "the source may send 1 events a second")
