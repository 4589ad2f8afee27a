"""The worker against a scripted provider, in virtual time."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Misconfigured,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.delivery_tables import delivery_key
from kairos.adapters.ledger import Change, Row
from kairos.adapters.lists import ListsAwayError
from kairos.apps.delivery.waiting_lists import WaitingLists
from tests.delivery.kit import BASE, HOUR, MINUTE, ListMailbox, Script, World, delivery, parcels, recall_of
from tests.delivery.virtual_loop import LoopClock, run


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
    assert world.last.counters == {"repeated": 1}


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


def test_a_channel_to_be_mended_pauses_and_nothing_is_lost() -> None:
    world = World(Script([Misconfigured("wrong token")] * 3), attempts=2)

    async def scenario() -> None:
        done = asyncio.create_task(world.deliver(delivery()))
        for number in range(3):
            await asyncio.sleep(600)
            assert len(world.pauses) == number + 1
            world.last.gate.set(None, paused=False)
        await done

    run(scenario())
    assert world.pauses == ["wrong token"] * 3
    assert world.outcomes() == ["misconfigured"] * 3 + ["accepted"]
    assert world.states() == {"u1": "sent"}


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


def test_calls_at_once_are_bounded() -> None:
    world = World(Script(takes=100))
    run(world.deliver(*(delivery(f"u{n}") for n in range(100))))
    assert world.provider.most_inside == 10
    assert len(world.provider.calls) == 100


def test_the_rate_holds_and_changes_while_it_runs() -> None:
    world = World(Script(takes=1))

    async def scenario() -> None:
        mailbox = ListMailbox([(0, parcels(delivery(f"u{n}") for n in range(300)))])
        worker = world.worker(mailbox, concurrency=100)
        world.last.gate.set(10.0, paused=False)
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(10)
        assert 99 <= len(world.provider.calls) <= 102
        world.last.gate.set(50.0, paused=False)
        await running

    run(scenario())
    times = [at for at, _ in world.provider.calls]
    assert all(later - sooner >= 1_000 - 100 for sooner, later in zip(times, times[50 + 5 :], strict=False))
    assert 13_000 < times[-1] < 15_000


def test_while_paused_nothing_goes_but_time_is_kept() -> None:
    world = World()

    async def scenario() -> None:
        mailbox = ListMailbox([(0, parcels([delivery("a", send_before=MINUTE), delivery("b")]))])
        worker = world.worker(mailbox)
        world.last.gate.set(None, paused=True)
        running = asyncio.create_task(worker.run())
        for _ in range(120):
            await asyncio.sleep(1)
            world.last.gate.sweep()
        assert world.states() == {"a": "expired"}
        world.last.gate.set(None, paused=False)
        await running

    run(scenario())
    assert [message.user_id for _, message in world.provider.calls] == ["b"]


def test_the_ledger_away_nothing_is_called_that_is_not_reserved() -> None:
    world = World()
    world.ledger_away = lambda: world.clock.now() < BASE + MINUTE
    run(world.deliver(*(delivery(f"u{n}") for n in range(30))))
    assert min(at for at, _ in world.provider.calls) >= MINUTE
    assert set(world.states().values()) == {"sent"}


def test_an_outcome_that_cannot_be_written_is_kept() -> None:
    world = World(Script([Accepted("p1")], takes=100))
    world.ledger_away = lambda: BASE + 50 < world.clock.now() < BASE + MINUTE
    run(world.deliver(delivery()))
    assert len(world.provider.calls) == 1
    assert world.states() == {"u1": "sent"}
    assert world.receipts()[0][1] == "sent"


def test_kafka_away_receipts_wait_and_nothing_is_done_before() -> None:
    world = World()
    world.posts_away = lambda: world.clock.now() < BASE + MINUTE

    async def scenario() -> None:
        mailbox = ListMailbox([(0, parcels([delivery()]))])
        running = asyncio.create_task(world.worker(mailbox).run())
        await asyncio.sleep(30)
        assert world.states() == {"u1": "sent"}
        assert len(mailbox.left) == 1
        await running
        assert mailbox.left == []

    run(scenario())
    assert len(world.receipts()) == 1


def test_what_is_given_back_is_not_done_and_what_is_under_way_ends() -> None:
    world = World(Script(takes=1_000))

    async def scenario() -> None:
        notes = [delivery("calling"), delivery("waiting", not_before=HOUR // 2)]
        mailbox = ListMailbox([(0, parcels(notes))])
        worker = world.worker(mailbox)
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(0.5)
        worker.give_back()
        await running
        assert [parcel.key for parcel in mailbox.left] == ["waiting"]

    run(scenario())
    assert world.states() == {"calling": "sent"}
    assert world.receipts()[0][:2] == ("calling", "sent")


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


def test_what_is_reserved_too_late_is_not_called() -> None:
    """The answer of a slow database comes after the delivery's time, or after a recall of it."""
    late, recalled = World(lease=HOUR), World(lease=HOUR)
    late.ledger_away = lambda: BASE < late.clock.now() < BASE + MINUTE
    run(late.deliver(delivery(send_before=MINUTE // 2)))
    recalled.ledger_away = lambda: BASE < recalled.clock.now() < BASE + MINUTE
    run(recalled.deliver(delivery(), later=[(MINUTE // 2, recall_of(delivery()))]))
    assert late.provider.calls == recalled.provider.calls == []
    assert (late.states(), recalled.states()) == ({"u1": "expired"}, {"u1": "recalled"})
    assert late.outcomes() == recalled.outcomes() == ["retry"]


def test_a_reservation_that_took_as_long_as_its_lease_is_made_anew() -> None:
    world = World(timeout=1_000, lease=10_000)
    world.ledger_away = lambda: world.clock.now() < BASE + MINUTE
    run(world.deliver(delivery()))
    assert world.outcomes() == ["retry", "accepted"]
    assert len(world.provider.calls) == 1


def test_what_providers_say_fits_into_the_ledger() -> None:
    """A ledger that refuses a row would hold up everything behind it."""
    answers = {"u1": Rejected("\ud800" + "x" * 5_000), "u2": Accepted("p" * 500)}
    world = World(Script(lambda message, _: answers[message.user_id]))
    run(world.deliver(delivery("u1"), delivery("u2")))
    failed, sent = sorted(world.ledger.rows.values(), key=lambda row: row.state)
    assert failed.reason == "rejected: ?" + "x" * 999
    assert sent.provider_id == "p" * 190


def test_who_is_at_fault_for_a_broken_batch_is_alone_with_it() -> None:
    """One row that the database refuses: the others of its transaction are written."""
    world = World()
    apply = world.ledger.apply

    def refusing(changes: list[Change]) -> list[Row | None]:
        if any(change.after.user_id == "odd" for change in changes):
            raise ValueError("not a row")
        return apply(changes)

    world.ledger.apply = refusing  # type: ignore[method-assign, assignment]

    async def scenario() -> list[str | None]:
        mailbox = ListMailbox([(0, parcels([delivery("a"), delivery("odd"), delivery("b")]))])
        await world.worker(mailbox).run()
        return [parcel.key for parcel in mailbox.left]

    assert run(scenario()) == ["odd"]
    assert world.states() == {"a": "sent", "b": "sent"}


def test_lists_are_tried_until_they_answer() -> None:
    class Away:
        calls = 0

        def dead_address(self, user_id: str, address: str) -> None:
            self.calls += 1
            if self.calls < 4:
                raise ListsAwayError("away")

        def opted_out(self, user_id: str, channel: str) -> None:
            raise AssertionError

    away = Away()
    waited: list[int] = []

    class Clock(LoopClock):
        async def sleep(self, ms: int) -> None:
            waited.append(ms)

    asyncio.run(WaitingLists(away, Clock(BASE)).dead_address("u1", "a"))
    assert away.calls == 4
    assert waited == [200, 400, 800]


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
