"""Identity in the middle of traffic: what is sent at once, what waits, what is told afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.adapters.metrics.declared import ACCESS_EVENTS, ACCESS_REFUSED
from kairos.adapters.profiles.identity import PIECE_BYTES
from kairos.engine.event import decode
from tests.access.gateway.gateway_kit import NOW, Kit, anonymous, event, identify


def statuses(kit: Kit, *events: dict[str, Any]) -> list[str]:
    answer = kit.post(list(events), key="app-key")
    assert answer.status_code == 200, answer.text
    return [result["status"] for result in answer.json()["results"]]


def sent(kit: Kit) -> list[tuple[str, str, bool]]:
    return [(e["id"], e["user_id"], e.get("merged", False)) for e in kit.producer.events("events.app")]


def test_what_happened_before_anybody_knew_is_told_afterwards() -> None:
    kit = Kit()
    assert statuses(kit, anonymous("a1", time=NOW - 5_000), anonymous("a2")) == ["waiting", "waiting"]
    assert sent(kit) == []
    kit.now += 60_000
    assert statuses(kit, identify(), anonymous("a3")) == ["bound", "accepted"]
    assert sent(kit) == [("a1", "u1", True), ("a2", "u1", True), ("a3", "u1", False)]
    assert [(record.key, record.time) for record in kit.producer.records] == [
        (b"u1", NOW - 5_000), (b"u1", NOW), (b"u1", NOW),
    ]  # fmt: skip
    assert all(decode(record.value).time == record.time for record in kit.producer.records)
    assert kit.metrics.value(ACCESS_EVENTS, source="app", outcome="merged") == 2


def test_a_binding_holds_from_its_place_in_the_batch_on() -> None:
    kit = Kit()
    statuses(kit, identify("ann"))
    assert statuses(kit, anonymous("a1"), identify("bob"), anonymous("a2")) == ["accepted", "bound", "accepted"]
    assert sent(kit) == [("a1", "ann", False), ("a2", "bob", False)]


def test_within_one_batch() -> None:
    kit = Kit()
    found = statuses(kit, anonymous("a1"), identify(), anonymous("a2"), identify())
    assert found == ["accepted", "bound", "accepted", "bound"]
    assert sorted(sent(kit)) == [("a1", "u1", True), ("a2", "u1", False)]


def test_of_two_bindings_in_one_batch_the_first_gets_what_has_waited() -> None:
    kit = Kit()
    statuses(kit, anonymous("a1"))
    assert statuses(kit, identify("ann"), identify("bob"), anonymous("a2")) == ["bound", "bound", "accepted"]
    assert sent(kit) == [("a1", "ann", True), ("a2", "bob", False)]


def test_a_phone_leads_to_the_user_as_a_device_does() -> None:
    kit = Kit()
    bound = event(type="identify", props={"phone": "138", "device_id": "d7"})
    assert statuses(kit, bound, event(user_id=..., phone=138)) == ["bound", "accepted"]
    assert sent(kit) == [("e1", "u1", False)]


def test_what_is_not_known_to_be_published_is_told_again() -> None:
    kit = Kit()
    statuses(kit, anonymous("a1"))
    kit.producer.away = True
    assert kit.post([identify()], key="app-key").status_code == 503
    kit.producer.away = False
    assert statuses(kit, identify()) == ["bound"]
    assert sent(kit) == [("a1", "u1", True)]
    assert statuses(kit, identify()) == ["bound"]
    assert len(sent(kit)) == 1


def test_with_redis_away_only_what_needs_it_waits() -> None:
    kit = Kit()
    kit.identity.away = True
    assert kit.post(event(), key="app-key").status_code == 200
    refused = kit.post(anonymous("a1"), key="app-key")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert "Redis" in refused.json()["message"]


def test_what_waits_and_cannot_be_read_ends_as_a_dead_letter() -> None:
    kit = Kit()
    statuses(kit, anonymous("a1"))
    (waiting,) = kit.identity.kept.values()
    waiting.insert(0, b"{rubbish")
    assert statuses(kit, identify()) == ["bound"]
    assert sent(kit) == [("a1", "u1", True)]
    (letter,) = kit.producer.letters
    assert (letter["reason"], letter["value"]) == ("not_json", "{rubbish")


def test_what_kafka_never_takes_is_refused_and_the_rest_goes_through() -> None:
    kit = Kit()
    kit.producer.most = 20_000
    large = event(id="large", props={"order_id": "x" * 30_000})
    answer = kit.post([event(), large, event(id="e3")])
    assert answer.status_code == 200
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "refused", "accepted"]
    assert [found["id"] for found in kit.producer.events("events.shop")] == ["e1", "e3"]
    (letter,) = kit.producer.letters
    assert (letter["reason"], letter["truncated"]) == ("not_storable", True)


def test_a_refusal_repeats_little_of_what_was_sent() -> None:
    kit = Kit()
    for bad in (
        {"type": "x" * 990_000},
        {"user_id": "x" * 900_000},
        {"source": "y" * 900_000},
        {"id": {"x": "y" * 900_000}},
    ):
        answer = kit.post([event(**bad), event()])
        assert [result["status"] for result in answer.json()["results"]] == ["refused", "accepted"]
        assert len(answer.text) < 500
    assert len(kit.producer.letters) == 4
    assert all(len(letter["message"]) <= 200 for letter in kit.producer.letters)


def test_what_breaks_the_reading_is_a_dead_letter_and_no_500(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise OverflowError("a long timestamp")

    kit = Kit()
    monkeypatch.setattr("kairos.engine.source.normalise.Normaliser.read", broken)
    answer = kit.post(event())
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
    assert [letter["reason"] for letter in kit.producer.letters] == ["unreadable"]
    monkeypatch.setattr("kairos.apps.gateway.server.read_events", broken)
    answer = kit.post(event())
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")


def test_much_that_waits_is_told_in_pieces() -> None:
    kit = Kit()
    waiting = [anonymous(f"a{n:03}", time=NOW - 1_000 + n) for n in range(20)]
    for one in waiting:
        one["props"]["pad"] = "x" * 900_000
        assert kit.post(one, key="app-key").json()["results"] == [{"status": "waiting"}]
    assert [letter["reason"] for letter in kit.producer.letters] == ["no_room"] * 3
    assert kit.metrics.value(ACCESS_REFUSED, source="app", reason="no_room") == 3
    assert statuses(kit, identify(), anonymous("z")) == ["bound", "accepted"]
    assert [id_ for id_, _, _ in sent(kit)] == [f"a{n:03}" for n in range(3, 20)] + ["z"]
    assert max(kit.producer.sizes) < PIECE_BYTES + 3_000_000
    assert not any(kit.identity.merging_of.values())


@pytest.mark.parametrize("bad", [{"id": 5}, {"type": "nothing"}, {"time": "now"}])
def test_what_is_refused_does_not_hold_up_the_rest(bad: dict[str, Any]) -> None:
    kit = Kit()
    answer = kit.post([event(), event(**bad), event(id="e3")])
    assert answer.status_code == 200
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "refused", "accepted"]
    assert (answer.json()["accepted"], answer.json()["refused"]) == (2, 1)
    (letter,) = kit.producer.letters
    assert letter["origin"] == "gateway/shop"
    assert letter["reason"] == answer.json()["results"][1]["reason"]
    assert letter["value"].startswith("{")
    assert kit.metrics.value(ACCESS_REFUSED, source="shop", reason=letter["reason"]) == 1
