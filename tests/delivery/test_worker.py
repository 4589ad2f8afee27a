"""The worker against a scripted provider, in virtual time."""

from __future__ import annotations

import msgspec
import pytest

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Message,
    Outcome,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.delivery.tables import delivery_key
from kairos.apps.delivery.tally import counts_of
from tests.delivery.kit import BASE, MINUTE, Script, World, delivery
from tests.delivery.virtual_loop import run


def test_a_delivery_is_reserved_called_settled_and_receipted() -> None:
    world = World(Script([Accepted("p7")]))
    run(world.deliver(delivery(values={"order_id": "o"})))
    ((at, message),) = world.provider.calls
    assert (message.key, message.address, message.values) == (
        delivery_key("nudge", "u1", "o1", 1),
        "to u1",
        {"order_id": "o"},
    )
    row = world.ledger.find(message.key)
    assert row is not None
    assert (row.state, row.calls, row.provider_id, row.worker, row.reserved_at - BASE) == ("sent", 1, "p7", "w1", 0)
    (call,) = world.ledger.calls.values()
    assert (call.outcome, call.started_at - BASE, call.ended_at) == ("accepted", 0, row.settled_at)
    assert world.receipts() == [("u1", "sent", row.settled_at - BASE)]
    assert at == 5


def test_what_has_reached_the_user_at_once_is_delivered_and_stays_so() -> None:
    world = World(Script([Accepted(delivered=True)]))
    run(world.deliver(delivery()))
    run(world.deliver(delivery(), worker="w2"))
    assert [status for _, status, _ in world.receipts()] == ["delivered", "delivered"]
    assert len(world.provider.calls) == 1


def test_a_repeated_record_is_acknowledged_with_the_same_receipt_and_not_sent() -> None:
    world = World()
    run(world.deliver(delivery(), delivery()))
    run(world.deliver(delivery(), worker="w2"))
    assert len(world.provider.calls) == 1
    assert len(set(world.receipts())) == 1
    assert len(world.receipts()) == 3
    assert counts_of(world.last.metrics, "sms") == {"repeated": 1}


def test_not_before_and_send_before_are_looked_at_on_the_clock() -> None:
    world = World()
    run(world.deliver(delivery("early", not_before=5 * MINUTE), delivery("late", send_before=-1)))
    assert [(at, message.user_id) for at, message in world.provider.calls] == [(5 * MINUTE + 5, "early")]
    assert world.states() == {"early": "sent", "late": "expired"}
    assert ("late", "expired", 0) in world.receipts()
    assert world.letters() == []


def test_what_quiet_hours_cut_is_handed_back() -> None:
    world = World()
    run(world.deliver(delivery(send_before=-1, cut="quiet_hours")))
    assert world.states() == {"u1": "released"}
    (post,) = world.posts
    assert b'"reason":"quiet_hours"' in post.value
    assert world.receipts() == [("u1", "released", 0)]


def test_retries_back_off_and_honour_what_the_provider_asks() -> None:
    world = World(Script([Retry("busy"), Retry("busy", after=7 * MINUTE), Accepted()]))
    run(world.deliver(delivery()))
    first, second, third = (at for at, _ in world.provider.calls)
    assert first < second <= first + 1_000 + 50
    assert second + 7 * MINUTE <= third <= second + 7 * MINUTE + 50
    assert world.outcomes() == ["retry", "retry", "accepted"]
    assert world.states() == {"u1": "sent"}


@pytest.mark.parametrize(
    ("policy", "asked", "calls"), [({"attempts": 3}, None, 3), ({"attempts": 99, "max_age": MINUTE}, 25_000, 3)]
)
def test_attempts_and_age_are_bounded(policy: dict[str, int], asked: int | None, calls: int) -> None:
    world = World(Script(lambda *_: Retry("busy", asked)), **policy)
    run(world.deliver(delivery()))
    assert len(world.provider.calls) == calls
    assert world.states() == {"u1": "failed"}
    assert [letter["reason"] for letter in world.letters()] == ["retries_exhausted"]
    assert world.receipts()[0][1] == "failed"


def test_a_retry_never_goes_after_send_before() -> None:
    world = World(Script(lambda *_: Retry("busy", 10 * MINUTE)))
    run(world.deliver(delivery(send_before=15 * MINUTE)))
    assert len(world.provider.calls) == 2
    assert world.receipts() == [("u1", "expired", 15 * MINUTE + 1)]


@pytest.mark.parametrize(
    ("outcome", "letter", "kept"),
    [
        (Rejected("bad text"), "rejected", set()),
        (DeadAddress("no such number"), "dead_address", {("dead_address", "u1", "to u1")}),
        (DeadAddress("STOP", opted_out=True), "opted_out", {("opted_out", "u1", "sms")}),
    ],
)
def test_permanent_refusals(outcome: Rejected | DeadAddress, letter: str, kept: set[tuple[str, ...]]) -> None:
    world = World(Script([outcome]))
    run(world.deliver(delivery()))
    assert world.states() == {"u1": "failed"}
    assert [(found["reason"], found["message"], found["key"]) for found in world.letters()] == [
        (letter, outcome.reason, "u1")
    ]
    assert [status for _, status, _ in world.receipts()] == ["failed"]
    assert world.lists.kept == kept
    # after a crash just after the row was written all of it is done again
    world.posts.clear()
    world.lists.kept.clear()
    run(world.deliver(delivery(), worker="w2"))
    assert len(world.provider.calls) == 1
    assert [found["reason"] for found in world.letters()] == [letter]
    assert world.lists.kept == kept


def test_an_unknown_outcome_is_left_or_called_again_with_the_same_key() -> None:
    left = World(Script([Unknown("cut")]))
    run(left.deliver(delivery()))
    assert left.receipts()[0][1] == "unknown"
    assert left.states() == {"u1": "unknown"}
    again = World(Script([Unknown("cut"), Unknown("cut"), Accepted()]), resend=True)
    run(again.deliver(delivery()))
    assert len({message.key for _, message in again.provider.calls}) == 1
    assert again.outcomes() == ["unknown", "unknown", "accepted"]
    assert again.states() == {"u1": "sent"}


def test_resends_are_bounded_and_end_as_unknown() -> None:
    world = World(Script(lambda *_: Unknown("cut")), resend=True, attempts=3)
    run(world.deliver(delivery()))
    assert len(world.provider.calls) == 3
    assert world.states() == {"u1": "unknown"}
    assert [status for _, status, _ in world.receipts()] == ["unknown"]
    assert world.letters() == []


def test_malformed_records_are_dead_letters() -> None:
    other = delivery(channel="push")
    long = delivery(occurrence="o" * 33)
    world = World()
    run(world.deliver(b"{no json", b"[]", b"", b'{"recall": {}}', b"\xff", *map(msgspec.json.encode, (other, long))))
    assert [letter["reason"] for letter in world.letters()] == ["malformed"] * 7
    assert world.letters()[0]["origin"] == "deliveries.sms/0@0"
    assert world.provider.calls == []


def test_content_that_cannot_be_made_asks_for_a_newer_release_once() -> None:
    world = World()
    world.content.broken = {"u1": "no template", "u2": "no template"}
    world.content.after_refresh = {"u2": "templates/t.sms.liquid: still wrong"}
    run(world.deliver(delivery("u1"), delivery("u2")))
    assert world.states() == {"u1": "sent", "u2": "failed"}
    assert [(letter["reason"], letter["message"]) for letter in world.letters()] == [
        ("content", "templates/t.sms.liquid: still wrong")
    ]


def test_whoever_has_left_the_topic_since_the_decision_gets_nothing() -> None:
    world = World(Script())
    world.lists.left.add(("u1", "news"))
    run(world.deliver(delivery(topic="news"), delivery("u2", topic="news"), delivery(occurrence="o2", topic="sale")))
    assert sorted(message.user_id for _, message in world.provider.calls) == ["u1", "u2"]
    row = world.ledger.find(delivery_key("nudge", "u1", "o1", 1))
    assert row is not None
    assert (row.state, row.reason, row.calls) == ("recalled", "consent", 0)
    assert ("u1", "recalled") in [(user, status) for user, status, _ in world.receipts()]


def test_it_is_asked_before_every_call() -> None:
    world = World()

    def answer(message: Message, number: int) -> Outcome:
        world.lists.left.add(("u1", "news"))
        return Retry("later")

    world.provider = Script(answer)
    run(world.deliver(delivery(topic="news")))
    assert len(world.provider.calls) == 1
    row = world.ledger.find(delivery_key("nudge", "u1", "o1", 1))
    assert row is not None
    assert (row.state, row.reason) == ("recalled", "consent")
