"""CloudEvents, structured and binary, and how their types become ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kairos.adapters.sources.port import Access, Entry, key_hash
from kairos.apps.gateway.cloud_events import type_of
from kairos.engine.rule.model import Source
from tests.access.gateway.formats_kit import sent
from tests.access.gateway.gateway_kit import NOW, ORDER, Kit

MAPPED = Entry(
    Source("shop", ORDER, mapping={"user_id": "data.buyer.id", "id": "data.no", "props": "data"}),
    Access((key_hash("shop-key"),)),
)


STRUCTURED = {"content-type": "application/cloudevents+json"}


def cloud(**fields: Any) -> dict[str, Any]:
    good = {
        "specversion": "1.0", "id": "c1", "source": "/shop", "type": "com.shop.order.created", "subject": "u1",
        "time": "2025-11-22T02:20:00Z", "data": {"order_id": "o1"},
    }  # fmt: skip
    return {key: value for key, value in {**good, **fields}.items() if value is not ...}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"id": "c1", "type": "order_created", "user_id": "u1", "time": NOW, "props": {"order_id": "o1"}}),
        ({"type": "order_created"}, {"type": "order_created"}),
        ({"data": {"order_id": "o", "user_id": "u2"}}, {"user_id": "u2"}),
        ({"time": ...}, {"time": NOW}),
        ({"type": "com.shop.view", "data": ...}, {"type": "view", "props": {}}),
        ({"datacontenttype": "application/vnd.shop+json; charset=utf-8"}, {"id": "c1"}),
    ],
)
def test_cloud_events(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    kit = Kit()
    assert kit.post(cloud(**fields), headers=STRUCTURED).is_success
    (found,) = sent(kit)
    assert expected.items() <= found.items()
    assert found["source"] == "shop"


def test_the_sources_own_map_goes_first() -> None:
    kit = Kit(MAPPED)
    assert kit.post(cloud(data={"order_id": "o1", "no": 7, "buyer": {"id": 5}}), headers=STRUCTURED).is_success
    (found,) = sent(kit)
    assert (found["id"], found["user_id"], found["type"], found["time"]) == ("7", "5", "order_created", NOW)
    assert found["props"]["order_id"] == "o1"


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"specversion": "0.3"}, "bad_cloud_event", "specversion"),
        ({"id": ...}, "bad_cloud_event", "'id'"),
        ({"source": ...}, "bad_cloud_event", "'source'"),
        ({"data": [1]}, "bad_cloud_event", "'data' must be"),
        ({"data_base64": "eA=="}, "bad_cloud_event", "data_base64"),
        ({"datacontenttype": "text/xml"}, "bad_cloud_event", "datacontenttype"),
        ({"subject": ...}, "bad_field", "'user_id' is missing"),
        ({"type": "com.shop.nothing"}, "unknown_type", "com.shop.nothing"),
        ({"type": 5}, "bad_field", "'type' must be text"),
        ({"time": "yesterday"}, "bad_time", ""),
    ],
)
def test_cloud_events_that_are_none(fields: dict[str, Any], reason: str, words: str) -> None:
    kit = Kit()
    answer = kit.post(cloud(**fields), headers=STRUCTURED)
    assert (answer.status_code, answer.json()["code"]) == (400, reason)
    assert words in answer.json()["message"]
    assert json.loads(kit.producer.letters[0]["value"]) == cloud(**fields)


def test_a_binary_cloud_event_keeps_its_attributes_in_the_dead_letter() -> None:
    kit = Kit()
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "c1",
        "ce-source": "/s",
        "ce-type": "nothing",
        "ce-subject": "u%20%C3%A9",
    }
    assert kit.post({"a": 1}, headers=headers).json()["code"] == "unknown_type"
    kept = json.loads(kit.producer.letters[0]["value"])
    assert (kept["subject"], kept["data"]) == ("u é", {"a": 1})


@pytest.mark.parametrize(
    ("name", "declared", "expected"),
    [
        ("order.created", {"order_created", "created"}, "order_created"),
        ("com.shop.order.created", {"created"}, "created"),
        ("com.shop.Order-Created", {"order_created"}, "order_created"),
        ("com.shop.order.created", set(), "com.shop.order.created"),
    ],
)
def test_types_of_cloud_events(name: str, declared: set[str], expected: str) -> None:
    assert type_of(name, declared) == expected
