"""From what a source sends to the envelope, or to the reason why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.event import Event, decode
from kairos.engine.rule.model import EventSchema, Source
from kairos.engine.source.normalise import (
    Claim,
    Draft,
    Normaliser,
    Refusal,
    after_waiting,
    as_arrived,
    envelope,
    to_wait,
)
from tests.access.normalise_kit import EVENTS, NOW, SHOP, draft, line, value

NATIVE = Source(
    "shop", EVENTS, mapping={"id": "order.no", "type": "kind", "user_id": "buyer", "time": "created_at", "props": "*"}
)


APP = Source("shop", EVENTS, identity={"device_id": "redis", "phone": "redis"})


def native(**fields: Any) -> bytes:
    good = {
        "kind": "order_created",
        "buyer": 17,
        "created_at": "2025-11-22T02:20:00Z",
        "order": {"no": 5},
        "order_id": "o5",
    }
    return json.dumps({key: value for key, value in {**good, **fields}.items() if value is not ...}).encode()


def test_an_envelope_gets_its_source_and_keeps_the_rest() -> None:
    found = draft(SHOP, line())
    assert found == Draft(Event("e1", "order_created", NOW, "shop", {"order_id": "o1"}, "u1"))
    assert value(found, "u1") == json.loads(line(source="shop"))


def test_what_is_no_field_of_the_envelope_does_not_get_through() -> None:
    found = draft(SHOP, line(merged=True, claimed_time=5, extra=1))
    assert value(found, "u1") == json.loads(line(source="shop"))


def test_map_reads_the_sources_own_json() -> None:
    found = draft(NATIVE, native(source="not ours"))
    assert (found.event.id, found.event.user_id, found.event.time) == ("5", "17", NOW)
    assert found.event.props == json.loads(native(source="not ours"))


@pytest.mark.parametrize(
    ("mapping", "sent", "id_"),
    [
        ({"id": "lines.1.sku"}, {"lines": [{"sku": "a"}, {"sku": "b"}]}, "b"),
        ({"id": "no"}, {"no": -3}, "-3"),
        ({"props": "data"}, {"data": {"order_id": "o"}}, "e1"),
        ({"id": "no"}, {"id": "other", "no": "x"}, "x"),
    ],
)
def test_paths(mapping: dict[str, str], sent: dict[str, Any], id_: str) -> None:
    source = Source("shop", EVENTS, mapping=mapping)
    assert draft(source, line(**sent)).event.id == id_


def test_events_of_one_time_keep_the_order_in_which_they_came() -> None:
    drafts = [draft(SHOP, line(id=id_)) for id_ in ("b", "c", "a")]
    found = [one.event for one in as_arrived(drafts, NOW + 5, (NOW + 5) * 1000)]
    assert [one.seq for one in found] == [5_000, 5_001, 5_002]
    assert sorted(found, key=lambda one: one.order) == found


def test_who_a_device_belongs_to_is_left_to_the_caller() -> None:
    sent = line(user_id=..., device_id="d1", props={"order_id": "o1", "phone": 13800000000})
    found = draft(APP, sent)
    assert found.event.user_id == ""
    assert found.claims == (Claim("device_id", "d1"), Claim("phone", "13800000000"))
    assert value(found, "u9")["user_id"] == "u9"
    known = draft(APP, line(device_id="d1"))
    assert (known.event.user_id, known.claims) == ("u1", (Claim("device_id", "d1"),))


def test_an_identify_that_is_not_declared_only_binds() -> None:
    sent = line(type="identify", device_id="d1")
    found = draft(APP, sent)
    assert (found.binds, found.published) == (True, False)
    declared = Source("shop", {**EVENTS, "identify": EventSchema({})}, identity=APP.identity)
    assert draft(declared, sent).published


def test_waiting_loses_nothing_but_the_claims() -> None:
    (found,) = as_arrived([draft(APP, line(user_id=..., device_id="d1", time=NOW + 5))], NOW, NOW * 1000 + 7)
    assert found.event.seq == 7
    back = after_waiting(to_wait(found))
    assert (back.event, back.claimed_time) == (found.event, NOW + 5)
    told = value(back, "u1", merged=True)
    assert told["merged"] is True
    assert told["user_id"] == "u1"


@pytest.mark.parametrize(
    ("source", "sent", "reason", "words"),
    [
        (SHOP, b"", "not_json", ""),
        (SHOP, b"[1]", "not_json", "a list"),
        (SHOP, b"\xff\xfe{", "not_json", ""),
        (SHOP, b"[" * 1000, "too_deep", "50"),
        (SHOP, b'{"props":' * 60 + b"1" + b"}" * 60, "too_deep", "50"),
        (SHOP, line(props={"order_id": "x" * 1_000_000}), "too_large", "1000000"),
        (SHOP, line(id=17), "bad_field", "'id' must be text"),
        (SHOP, line(user_id=...), "bad_field", "'user_id' is missing"),
        (SHOP, line(user_id="u" * 1_001), "bad_field", "256 are taken"),
        (SHOP, line(time=NOW // 1000), "bad_time", "seconds"),
        (SHOP, line(time=NOW + 3_600_001), "future", "60 minutes"),
        (SHOP, line(source="app"), "wrong_source", "'app'"),
        (SHOP, line(type="receipt"), "reserved_type", "'receipt'"),
        (SHOP, line(type="heartbeat"), "reserved_type", "'heartbeat'"),
        (SHOP, line(type="message.sent"), "reserved_type", "'message.sent'"),
        (SHOP, line(type="catalog.changed"), "reserved_type", "'catalog.changed'"),
        (SHOP, line(type="consent.changed"), "unknown_type", "'consent.changed'"),
        (SHOP, line(type="order.created"), "unknown_type", "'order.created'"),
        (SHOP, line(user_id="undefined"), "bad_field", "does not know its user"),
        (SHOP, line(user_id="[object Object]"), "bad_field", "does not know its user"),
        (APP, line(user_id=..., device_id="null"), "no_identity", ""),
        (SHOP, line(type="order_creatd"), "unknown_type", "'order_creatd'"),
        (SHOP, line(props={}), "missing_prop", "'order_id'"),
        (SHOP, line(props={"order_id": "o", "amount": "80"}), "wrong_type", "a number"),
        (Source("shop", EVENTS, enabled=False), line(), "disabled_source", "'shop'"),
        (NATIVE, native(order={}), "bad_field", "nothing at 'order.no'"),
        (NATIVE, native(created_at=...), "bad_time", "nothing at 'created_at'"),
        (NATIVE, native(buyer=True), "bad_field", "'user_id' must be text"),
        (NATIVE, native(buyer=...), "bad_field", "'user_id' is missing"),
        (APP, line(user_id=...), "no_identity", "'device_id', 'phone'"),
        (APP, line(user_id=..., device_id=""), "no_identity", ""),
        (APP, line(user_id=..., device_id="d" * 257), "bad_field", "256"),
        (APP, line(user_id=..., device_id="d1", type="identify"), "bad_field", "whose"),
    ],
)
def test_refused(source: Source, sent: bytes, reason: str, words: str) -> None:
    found = Normaliser(source).read(sent, NOW)
    assert isinstance(found, Refusal), found
    assert found.reason == reason
    assert words in found.message


def test_the_level_that_a_map_adds_is_counted() -> None:
    nested: Any = 1
    for _ in range(49):
        nested = [nested]
    sent = native(deep=nested)
    refused = Normaliser(NATIVE).read(sent, NOW)
    assert isinstance(refused, Refusal)
    assert refused.reason == "too_deep"


def test_a_user_whose_name_makes_it_too_large() -> None:
    found = draft(SHOP, line(user_id="u"))
    refused = envelope(found, "u" * 1_000_000)
    assert isinstance(refused, Refusal)
    assert refused.reason == "too_large"


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)  # fmt: skip


JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


TIMES = st.integers(NOW - 10, NOW + 3_600_010) | st.just("2025-11-22T02:20:00+01:00")


WORDS = st.text(min_size=1, max_size=5)


DOCUMENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["any", "identify"]), "kind": st.just("any"), "props": st.dictionaries(WORDS, JSON)},
    optional={
        "id": WORDS | JSON, "user_id": WORDS | JSON, "time": TIMES | JSON, "source": st.just("shop") | JSON,
        "device_id": WORDS | JSON, "no": WORDS | st.integers(), "at": TIMES, "merged": JSON,
    },
)  # fmt: skip


OPEN = {"any": EventSchema({})}


SOURCES = [
    Source("shop", OPEN),
    Source("shop", OPEN, identity={"device_id": "redis"}),
    Source("shop", OPEN, mapping={"id": "no", "type": "kind", "time": "at", "props": "*"}),
    Source("shop", OPEN, mapping={"id": "no", "time": "at"}, identity={"device_id": "redis"}),
]


@given(st.sampled_from(SOURCES), DOCUMENTS.map(lambda document: json.dumps(document).encode()) | st.binary())
def test_what_is_made_decodes_to_the_same_event(source: Source, sent: bytes) -> None:
    found = Normaliser(source).read(sent, NOW)
    if isinstance(found, Refusal):
        assert found.reason
        assert found.message
        return
    (found,) = as_arrived([found], NOW, NOW * 1000 + 3)
    user_id = found.event.user_id or "somebody"
    written = envelope(found, user_id)
    assert isinstance(written, bytes)
    decoded = decode(written)
    assert decoded.user_id == user_id
    assert (decoded.id, decoded.type, decoded.time, decoded.source, decoded.props, decoded.seq) == (
        found.event.id, found.event.type, found.event.time, "shop", found.event.props,
        found.event.seq,
    )  # fmt: skip
    assert decoded.time <= NOW
