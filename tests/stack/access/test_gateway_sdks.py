"""Public SDKs, as they are, against the gateway as a process: only their host is another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from segment.analytics.client import Client

from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway.gateway_process import GatewayProcess, running

pytestmark = pytest.mark.stack

EVENTS = {
    name: EventSchema({}) for name in ("order_completed", "page", "screen", "group", "identify", "signed_up")
}  # fmt: skip
MOMENT = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def gateway(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with running(tmp_path_factory.mktemp("gateway"), stack.settings.kafka, stack.settings.redis_url) as process:
        yield process


class Sdk:
    """`segment-analytics-python`, and what it reported as failed."""

    def __init__(self, gateway: GatewayProcess, key: str, **options: Any) -> None:
        self.failures: list[str] = []
        self.client = Client(
            key, host=gateway.url, on_error=lambda error, _: self.failures.append(str(error)), **options
        )

    def done(self) -> list[str]:
        self.client.flush()
        self.client.join()
        return self.failures


@pytest.mark.parametrize("gzip", [False, True])
def test_segment(gateway: GatewayProcess, gzip: bool) -> None:
    source = gateway.source(EVENTS, {"device_id": "redis"})
    sdk = Sdk(gateway, source, gzip=gzip)
    sdk.client.track(anonymous_id=f"d-{source}", event="Signed Up", timestamp=MOMENT)
    sdk.client.identify(f"u-{source}", {"plan": "gold"}, anonymous_id=f"d-{source}", timestamp=MOMENT)
    sdk.client.track(f"u-{source}", "Order Completed", {"order_id": "o1", "lines": [{"sku": "a"}]}, timestamp=MOMENT)
    sdk.client.page(f"u-{source}", "shop", "home", {"path": "/"}, timestamp=MOMENT)
    sdk.client.screen(f"u-{source}", "shop", "home", timestamp=MOMENT)
    sdk.client.group(f"u-{source}", "g1", {"size": 3}, timestamp=MOMENT)
    sdk.client.alias(f"old-{source}", f"u-{source}", timestamp=MOMENT)
    sdk.client.track(anonymous_id=f"old-{source}", event="Order Completed", timestamp=MOMENT)
    assert sdk.done() == []

    found = {(record["type"], record.get("merged", False)): record for record in gateway.records(source)}
    assert {record["user_id"] for record in found.values()} == {record["key"] for record in found.values()}
    assert {record["user_id"] for record in found.values()} == {f"u-{source}"}
    assert {kind for kind, _ in found} == set(EVENTS)
    assert ("signed_up", True) in found
    assert found["page", False]["props"] == {"path": "/", "name": "home", "category": "shop"}
    assert found["identify", False]["props"]["plan"] == "gold"
    assert found["group", False]["props"] == {"size": 3, "group_id": "g1"}
    # By `sentAt` the client's clock is put right, and the way to the gateway counts as its error.
    moment = int(MOMENT.timestamp() * 1000)
    assert all(moment <= record["ts"] < moment + 60_000 for record in found.values())


def test_segment_hears_of_what_is_refused(gateway: GatewayProcess) -> None:
    source = gateway.source({"order_completed": EventSchema({"order_id": "string"}, ("order_id",))})
    sdk = Sdk(gateway, source)
    sdk.client.track("u1", "Order Completed", {})
    (failure,) = sdk.done()
    assert "missing_prop" in failure
    assert "'order_id' is required" in failure
    stranger = Sdk(gateway, "no-such-key")
    stranger.client.track("u1", "Order Completed", {})
    assert "unknown_key" in stranger.done()[0]


def cloud_event(id_: str, **attributes: Any) -> CloudEvent:
    known = {"id": id_, "source": "/shop/é", "type": "com.shop.order.completed", "time": MOMENT, "subject": "u-ä 1"}
    return CloudEvent({**known, **attributes}, {"order_id": "o1", "note": "ü"})


def test_cloud_events(gateway: GatewayProcess) -> None:
    source = gateway.source(EVENTS)

    def send(message: HTTPMessage) -> httpx.Response:
        return gateway.post(message.body, source, **dict(message.headers))

    assert send(to_binary_event(cloud_event("binary"))).json()["accepted"] == 1
    assert send(to_structured_event(cloud_event("structured", myextension="x"))).json()["accepted"] == 1
    batch = b"[" + b",".join(bytes(to_structured_event(cloud_event(name)).body) for name in ("b1", "b2")) + b"]"
    kind = {"content-type": "application/cloudevents-batch+json"}
    assert gateway.post(batch, source, **kind).json()["accepted"] == 2

    found = gateway.records(source)
    assert sorted(record["id"] for record in found) == ["b1", "b2", "binary", "structured"]
    for record in found:
        assert (record["type"], record["user_id"], record["source"]) == ("order_completed", "u-ä 1", source)
        assert record["props"] == {"order_id": "o1", "note": "ü"}
        assert record["ts"] == int(MOMENT.timestamp() * 1000)
