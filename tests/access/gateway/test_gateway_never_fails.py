"""Whatever is sent, the gateway has an answer of its own to it, and what it lets through is an event."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.adapters.sources.port import Access, Entry, key_hash
from kairos.apps.gateway.segment import CALLS
from kairos.engine.event import decode
from kairos.engine.rule.model import EventSchema, Source
from tests.access.gateway.gateway_kit import NOW, Kit

EVENTS = {name: EventSchema({}) for name in ("view", *CALLS)}
DOORS = [
    Entry(Source("plain", EVENTS), Access((key_hash("plain"),))),
    Entry(Source("devices", EVENTS, identity={"device_id": "redis", "phone": "redis"}), Access((key_hash("devices"),))),
    Entry(
        Source("mapped", EVENTS, mapping={"id": "data.no", "type": "kind", "time": "at", "props": "*"}),
        Access((key_hash("mapped"),)),
    ),
]
KINDS = (
    *["application/json"] * 3, "application/x-ndjson", "application/cloudevents+json", "text/plain", ";;", "",
    "application/cloudevents-batch+json", "application/json; charset=latin-1",
)  # fmt: skip
PATHS = ("/v1/events", "/v1/events?source=plain", "/v1/batch", *(f"/v1/{call}" for call in CALLS))

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
ANY = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=2) | st.dictionaries(st.text(max_size=3), one, max_size=2)
)
USERS, DEVICES = st.sampled_from(["u1", "u2", 17]), st.sampled_from(["d1", "d2", 138])
TIMES = st.sampled_from([NOW, NOW + 5, "2025-11-22T02:20:00Z"])
TYPES = st.sampled_from(["view", "identify", "track", "alias", "com.shop.view"])
OBJECTS = st.dictionaries(st.sampled_from(["device_id", "phone", "no", "a"]), DEVICES | ANY, max_size=3)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("id", "messageId", "source", "name", "groupId"), st.sampled_from(["e1", "e2"])),
    **dict.fromkeys(("type", "event", "kind"), TYPES),
    **dict.fromkeys(("user_id", "userId", "subject"), USERS),
    **dict.fromkeys(("device_id", "phone", "anonymousId", "previousId"), DEVICES),
    **dict.fromkeys(("time", "timestamp", "at"), TIMES),
    **dict.fromkeys(("props", "properties", "traits", "data"), OBJECTS),
    **dict.fromkeys(("merged", "claimed_time", "data_base64", "datacontenttype", "writeKey"), ANY),
    "specversion": st.just("1.0"),
}
GOOD: dict[str, Any] = {"id": "e1", "type": "view", "user_id": "u1", "time": NOW, "specversion": "1.0", "event": "view"}
ODD = st.sampled_from(list(FIELDS)).flatmap(lambda name: st.tuples(st.just(name), ANY)).map(lambda pair: dict([pair]))
DOCUMENTS = st.builds(
    lambda some, odd, without: {key: value for key, value in {**GOOD, **some, **odd}.items() if key not in without},
    st.fixed_dictionaries({}, optional=FIELDS),
    st.just({}) | st.just({}) | ODD,
    st.sets(st.sampled_from(list(GOOD)), max_size=2),
)
BATCHES = st.fixed_dictionaries({"batch": st.lists(DOCUMENTS, max_size=3)})
TEXTS = (DOCUMENTS | st.lists(DOCUMENTS | ANY, max_size=3) | BATCHES | ANY).map(lambda body: json.dumps(body).encode())
BODIES = TEXTS | st.binary(max_size=40)
NAMES = ("ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "content-encoding", "authorization")
VALUES = st.sampled_from(["1.0", "e1", "view", "gzip", "Basic !", "Bearer ", "%E4%F6", "\xff"])
HEADERS = st.just({}) | st.dictionaries(
    st.sampled_from(NAMES), VALUES.map(lambda text: text.encode("latin-1")), max_size=3
)


@settings(max_examples=500)
@given(st.sampled_from(DOORS), st.sampled_from(PATHS), st.sampled_from(KINDS), HEADERS, BODIES)
def test_any_request(door: Entry, path: str, kind: str, headers: dict[str, Any], body: bytes) -> None:
    kit = Kit(*DOORS)
    answer = kit.post(body, path, key=door.source.name, headers={"content-type": kind, **headers})
    assert answer.status_code < 500
    assert set(answer.json()) & {"code", "results"}
    assert kit.room.used == 0
    for record in kit.producer.records:
        if record.topic != "dead-letters":
            event = decode(record.value)
            assert (record.key or b"").decode() == event.user_id
            assert record.time == event.time <= NOW
            assert record.topic == f"events.{event.source}"
            assert event.type in EVENTS
