"""What calls of Segment's SDKs and CloudEvents become."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from kairos.adapters.sources import Access, Entry, key_hash
from kairos.apps.gateway.cloud_events import type_of
from kairos.apps.gateway.segment import snake_case
from kairos.engine.rule.model import EventSchema, Source
from tests.access.gateway_kit import NOW, ORDER, Kit

MAPPED = Entry(
    Source("shop", ORDER, mapping={"user_id": "data.buyer.id", "id": "data.no", "props": "data"}),
    Access((key_hash("shop-key"),)),
)
STRUCTURED = {"content-type": "application/cloudevents+json"}


def sent(kit: Kit) -> list[dict[str, Any]]:
    return [record for topic in ("shop", "app") for record in kit.producer.events(f"events.{topic}")]


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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Order Completed", "order_completed"),
        ("orderCompleted", "order_completed"),
        (" order-completed! ", "order_completed"),
        ("order_completed", "order_completed"),
        ("Step 2 Done", "step_2_done"),
        ("订单完成", "订单完成"),
    ],
)
def test_names_of_segments_events(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def call(path: str, body: dict[str, Any], kit: Kit | None = None, key: str | None = "app-key") -> httpx.Response:
    good = {"messageId": "m1", "timestamp": "2025-11-22T02:20:00Z", "userId": "u1"}
    content = {name: value for name, value in {**good, **body}.items() if value is not ...}
    return (kit or Kit()).post(content, f"/v1/{path}", key=key)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"event": "View"}, {"id": "m1", "type": "view", "user_id": "u1", "time": NOW, "props": {}}),
        ({"event": "Order Created", "properties": {"order_id": "o1"}}, {"props": {"order_id": "o1"}}),
        ({"event": "Order Created", "properties": {"order_id": "o1"}}, {"type": "order_created"}),
        ({"event": "View", "userId": 17}, {"user_id": "17"}),
        ({"event": "View", "timestamp": ...}, {"time": NOW}),
        ({"event": "View", "context": {"ip": "1.1.1.1"}, "integrations": {}}, {"props": {}}),
    ],
)  # fmt: skip
def test_track(body: dict[str, Any], expected: dict[str, Any]) -> None:
    kit = Kit()
    assert call("track", body, kit).is_success
    (found,) = sent(kit)
    assert expected.items() <= found.items()


def test_a_call_without_id_gets_one_that_a_repeat_has_too() -> None:
    kit = Kit()
    for body in ({"event": "View"}, {"event": "View"}, {"event": "View", "userId": "u2"}):
        call("track", {"messageId": ..., **body}, kit)
    first, again, other = (found["id"] for found in sent(kit))
    assert first == again != other


def test_anonymous_calls_wait_for_identify_and_alias_binds_too() -> None:
    kit = Kit()
    nobody = {"userId": "", "event": "View", "anonymousId": "d1"}
    assert call("track", nobody, kit).json()["results"] == [{"status": "waiting"}]
    bound = call("identify", {"traits": {"plan": "gold"}, "anonymousId": "d1"}, kit)
    assert bound.json()["results"] == [{"status": "bound"}]
    assert [(found["user_id"], found["merged"]) for found in sent(kit)] == [("u1", True)]
    assert call("alias", {"previousId": "old"}, kit).json()["results"] == [{"status": "bound"}]
    assert call("track", {**nobody, "anonymousId": "old"}, kit).json()["accepted"] == 1


def test_the_write_key_may_stand_in_the_body() -> None:
    kit = Kit()
    assert call("track", {"event": "View", "writeKey": "app-key"}, kit, key=None).is_success
    batch = {"batch": [{"type": "track", "event": "View", "userId": "u", "messageId": "m"}], "writeKey": "app-key"}
    assert kit.post(batch, "/v1/batch", key=None).json()["accepted"] == 1
    assert call("track", {"event": "View", "writeKey": "wrong"}, kit, key=None).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("track", {}, "bad_field"),
        ("track", {"event": ""}, "bad_field"),
        ("track", {"event": "View", "properties": [1]}, "bad_field"),
        ("track", {"event": "View", "userId": ...}, "no_identity"),
        ("track", {"event": "Nothing"}, "unknown_type"),
        ("page", {}, "unknown_type"),
        ("alias", {}, "unknown_type"),
        ("batch", {}, "not_json"),
        ("batch", {"batch": [{"type": "dance"}]}, "bad_field"),
        ("batch", {"batch": [{"type": "track", "event": "View", "userId": True, "messageId": "m"}]}, "bad_field"),
    ],
)
def test_calls_that_are_refused(path: str, body: dict[str, Any], reason: str) -> None:
    answer = call(path, body)
    assert (answer.status_code, answer.json()["code"]) == (400, reason)


def test_a_batch_of_too_many_calls() -> None:
    answer = Kit().post({"batch": [1] * 10_001}, "/v1/batch", key="app-key")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many")


def test_other_calls_are_events_of_their_own_name() -> None:
    shop = Entry(
        Source("app", {name: EventSchema({}) for name in ("page", "screen", "group")}), Access((key_hash("app-key"),))
    )
    kit = Kit(shop)
    call("page", {"name": "home", "properties": {"path": "/"}}, kit)
    call("screen", {"category": "shop"}, kit)
    call("group", {"groupId": 5, "traits": {"size": 3}}, kit)
    assert [(found["type"], found["props"]) for found in sent(kit)] == [
        ("page", {"path": "/", "name": "home"}),
        ("screen", {"category": "shop"}),
        ("group", {"size": 3, "group_id": "5"}),
    ]
