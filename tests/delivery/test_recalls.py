"""Recalls of deliveries that wait, are called, or may have gone, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from kairos.adapters.channels.channel import (
    Misconfigured,
    Rejected,
    Retry,
    Unknown,
)
from tests.delivery.kit import BASE, HOUR, MINUTE, ListMailbox, Script, World, delivery, parcels, recall_of
from tests.delivery.virtual_loop import run


def test_a_recall_before_the_call_keeps_it_from_going() -> None:
    world = World()
    waiting = delivery(not_before=HOUR // 2)
    run(world.deliver(waiting, later=[(MINUTE, recall_of(waiting, MINUTE))]))
    assert world.provider.calls == []
    assert set(world.receipts()) == {("u1", "recalled", MINUTE)}


def test_a_recall_before_its_delivery_too() -> None:
    world = World()
    run(world.deliver(recall_of(delivery()), later=[(MINUTE, delivery())]))
    assert world.provider.calls == []
    assert set(world.receipts()) == {("u1", "recalled", 0)}


def test_a_recall_between_two_tries() -> None:
    world = World(Script(lambda *_: Retry("busy", 10 * MINUTE)))
    run(world.deliver(delivery(), later=[(MINUTE, recall_of(delivery(), MINUTE))]))
    assert len(world.provider.calls) == 1
    assert set(world.receipts()) == {("u1", "recalled", MINUTE)}


def test_a_recall_during_the_call_that_comes_to_nothing() -> None:
    world = World(Script([Retry("busy")], takes=1000))
    run(world.deliver(delivery(), later=[(500, recall_of(delivery()))]))
    assert len(world.provider.calls) == 1
    assert {status for _, status, _ in world.receipts()} == {"recalled"}


def test_a_recall_that_is_too_late() -> None:
    world = World()
    run(world.deliver(delivery(), later=[(MINUTE, recall_of(delivery(), MINUTE))]))
    assert [status for _, status, _ in world.receipts()] == ["sent", "too_late"]


def test_a_recall_of_what_has_failed_is_no_regret() -> None:
    world = World(Script([Rejected("no")]))
    run(world.deliver(delivery(), later=[(MINUTE, recall_of(delivery(), MINUTE))]))
    assert [status for _, status, _ in world.receipts()] == ["failed", "recalled"]


def test_a_recall_of_what_may_have_gone_is_too_late() -> None:
    """Between two calls of unknown outcome, and while a worker that died holds the reservation."""
    resending = World(Script(lambda *_: Unknown("cut")), resend=True, backoff=10 * MINUTE)
    run(resending.deliver(delivery(), later=[(100, recall_of(delivery()))]))
    assert [status for _, status, _ in resending.receipts()] == ["unknown", "too_late"]
    assert len(resending.provider.calls) == 1

    orphaned = World(Script(takes=HOUR))

    async def scenario() -> None:
        mailbox = ListMailbox([(0, parcels([delivery()]))])
        dying = orphaned.worker(mailbox)
        running = asyncio.create_task(dying.run())
        await asyncio.sleep(1)
        running.cancel()
        await dying.abandon()
        await orphaned.deliver(recall_of(delivery()), delivery(), worker="w2")

    run(scenario())
    assert [status for _, status, _ in orphaned.receipts()] == ["too_late", "unknown"]


@pytest.mark.parametrize("then", [Retry("busy", 10 * MINUTE), Misconfigured("token"), None])
def test_what_may_have_gone_never_counts_as_certainly_not_sent_again(then: Retry | Misconfigured | None) -> None:
    """Whatever comes after the unknown outcome: an answer, or a reservation (null) that takes too long for its call."""
    world = World(Script([Unknown("cut"), *([then] if then else [])]), resend=True, backoff=50, lease=HOUR)
    if then is None:
        world.ledger_away = lambda: BASE + 32 < world.clock.now() < BASE + 2 * MINUTE

    async def scenario() -> None:
        running = asyncio.create_task(world.deliver(delivery(), later=[(MINUTE, recall_of(delivery(), MINUTE))]))
        await asyncio.sleep(4 * 60)
        world.last.gate.set(None, paused=False)
        await running

    run(scenario())
    assert world.states() == {"u1": "unknown"}
    assert {status for _, status, _ in world.receipts()} == {"unknown", "too_late"}
    assert len(world.provider.calls) == (2 if then else 1)


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_a_message_that_waits_while_its_activity_is_stopped_does_not_go(state: str) -> None:
    world = World()
    world.stop_at[MINUTE] = state
    run(world.deliver(delivery(not_before=HOUR // 2)))
    assert world.provider.calls == []
    assert [(row.state, row.reason) for row in world.ledger.rows.values()] == [("recalled", state)]
    assert {status for _, status, _ in world.receipts()} == {"recalled"}


def test_a_message_that_may_have_gone_before_its_activity_was_stopped_is_unknown() -> None:
    world = World(Script(lambda *_: Unknown("time-out")), resend=True)
    world.stop_at[10] = "paused"
    run(world.deliver(delivery()))
    assert len(world.provider.calls) == 1
    assert {status for _, status, _ in world.receipts()} == {"unknown"}
