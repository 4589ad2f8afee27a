"""What calls of Segment's SDKs and CloudEvents become."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from kairos.adapters.sources.port import Access, Entry, key_hash
from kairos.apps.gateway.segment import snake_case
from kairos.engine.rule.model import EventSchema, Source
from tests.access.gateway.formats_kit import sent
from tests.access.gateway.gateway_kit import NOW, Kit


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Order Completed", "order_completed"),
        ("orderCompleted", "order_completed"),
        (" order-completed! ", "order_completed"),
        ("order_completed", "order_completed"),
        ("Step 2 Done", "step_2_done"),
        ("订单完成", "订单完成"),
        ("订单支付 App", "订单支付_app"),
        ("订单取消 App", "订单取消_app"),
        ("Заказ VIP", "заказ_vip"),
        ("Café Visited", "café_visited"),
        ("Cafe\u0301 Visited", "café_visited"),
        ("हिन्दी किताब", "हिन्दी_किताब"),
        ("consent.changed", "consent.changed"),
        ("Order . Paid.", "order.paid"),
        ("!!!", "!!!"),
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


MINUTE = 60_000


@pytest.mark.parametrize(
    ("body", "minutes"),
    [
        ({"timestamp": "2025-11-22T04:18:30Z", "sentAt": "2025-11-22T04:20:00Z"}, -1.5),
        ({"timestamp": "1970-01-01T00:04:00Z", "sentAt": "1970-01-01T00:05:00Z"}, -1),
        ({"timestamp": ..., "originalTimestamp": "2025-11-22T04:19:00Z", "sentAt": "2025-11-22T04:20:00Z"}, -1),
        ({"timestamp": "2025-11-22T01:50:00Z"}, -30),
        ({"timestamp": "2025-11-22T01:50:00Z", "sentAt": "yesterday"}, -30),
        ({"timestamp": "2025-11-22T01:50:00Z", "sentAt": 1_763_778_000_000}, -30),
        ({"timestamp": "2025-11-22T02:21:00Z", "sentAt": "2025-11-22T02:20:00Z"}, 0),
    ],
)
def test_the_clock_of_a_device_is_corrected_by_when_it_sent(body: dict[str, Any], minutes: float) -> None:
    kit = Kit()
    assert call("track", {"event": "View", **body}, kit).is_success
    assert [(found["time"] - NOW) / MINUTE for found in sent(kit)] == [minutes]


def test_a_batch_has_one_time_of_sending_and_a_call_may_have_its_own() -> None:
    kit = Kit()
    view = {"type": "track", "event": "View", "userId": "u1", "timestamp": "2025-11-22T04:19:00Z"}
    calls = [{**view, "messageId": "a"}, {**view, "messageId": "b", "sentAt": "2025-11-22T04:21:00Z"}]
    kit.post({"batch": calls, "sentAt": "2025-11-22T04:20:00Z"}, "/v1/batch", key="app-key")
    assert [(found["time"] - NOW) / MINUTE for found in sent(kit)] == [-1, -2]


def test_a_request_keeps_its_order_where_its_events_are_ahead_of_the_clock() -> None:
    kit = Kit()
    created = {"id": "b", "type": "view", "user_id": "u1", "time": NOW + 11 * MINUTE}
    paid = {"id": "a", "type": "view", "user_id": "u1", "time": NOW + 12 * MINUTE}
    kit.post([created, paid, {**paid, "id": "0"}])
    found = kit.producer.events("events.shop")
    assert [(one["id"], one["time"] - NOW, one["claimed_time"]) for one in found] == [
        ("b", -MINUTE, created["time"]), ("a", 0, paid["time"]), ("0", 0, paid["time"]),
    ]  # fmt: skip
    assert [one.get("seq", 0) for one in found] == [MINUTE * 1000, 1, 2]


def test_requests_of_one_millisecond_keep_their_order() -> None:
    kit = Kit()
    for id_ in ("b", "a"):
        kit.post({"id": id_, "type": "view", "user_id": "u1", "time": NOW - 1})
    assert [(one["id"], one["seq"]) for one in kit.producer.events("events.shop")] == [("b", 1_000), ("a", 1_001)]


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
    ("path", "body"),
    [
        ("track", b'{"event": "Nothing", "userId": "u1", "messageId": "m", "writeKey": "app-key"}'),
        ("track", b'{"event": "", "userId": "u1", "writeKey" : "app-key"}'),
        ("batch", b'{"batch": [{"type": "dance", "WriteKey": "app-key"}], "writeKey": "app-key"}'),
        ("batch", b'{"batch": 5, "writeKey": "app-key"}'),
        ("batch", b'{"batch": [], "writeKey": "app-key'),
    ],
)
def test_the_write_key_is_never_kept(path: str, body: bytes) -> None:
    kit = Kit()
    assert kit.post(body, f"/v1/{path}", key="app-key").status_code == 400
    assert len(kit.producer.letters) == 1
    assert b"app-key" not in kit.producer.records[-1].value


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


@pytest.mark.parametrize(
    ("path", "type_"),
    [("t", "view"), ("i", "identify"), ("p", "page"), ("s", "screen"), ("g", "group"), ("b", "view")],
)
def test_short_paths_of_todays_sdks(path: str, type_: str) -> None:
    types = ("view", "identify", "page", "screen", "group")
    kit = Kit(Entry(Source("app", {name: EventSchema({}) for name in types}), Access((key_hash("app-key"),))))
    track = {"event": "View"}
    assert call(path, {"batch": [{**track, "type": "track", "userId": "u1"}]} if path == "b" else track, kit).is_success
    assert [found["type"] for found in sent(kit)] == [type_]


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
