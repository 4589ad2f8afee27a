"""The worker with little room to move: limits, pauses, a ledger and a Kafka that are away, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from kairos.adapters.channels.channel import (
    Accepted,
    Misconfigured,
    Rejected,
)
from kairos.adapters.delivery.ledger import Change, Row
from kairos.adapters.kafka.posts import KafkaRefusedError
from kairos.adapters.post import Post
from kairos.adapters.profiles.lists import ListsAwayError
from kairos.apps.delivery.waiting_lists import WaitingLists
from kairos.engine.profile.topics import ConsentChange
from tests.delivery.kit import BASE, HOUR, MINUTE, ListMailbox, Script, World, delivery, parcels, recall_of
from tests.delivery.virtual_loop import LoopClock, run


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

    assert run(scenario()) == []
    assert world.states() == {"a": "sent", "b": "sent"}
    (letter,) = world.letters()
    assert (letter["reason"], letter["message"]) == ("broken", "ValueError: not a row")


@pytest.mark.parametrize(
    "value",
    [
        b"",  # a tombstone, as the mailbox gives it
        b"[" * 100_000,
        b'{"recall":' + b"[" * 100_000,
        b'{"activity": ' + b'{"a":' * 50_000,
        b"\xff\xfe\x00",
        b'"\\ud800"',
        b'{"at": 1e400}',
        b"null",
    ],
    ids=range(8),
)
def test_whatever_a_record_is_it_is_put_aside_and_the_next_one_goes(value: bytes) -> None:
    world = World()
    run(world.deliver(delivery("a"), value, delivery("b")))
    assert world.states() == {"a": "sent", "b": "sent"}
    (letter,) = world.letters()
    assert letter["reason"] == "malformed"


def test_a_letter_that_kafka_refuses_holds_up_nobody() -> None:
    world = World()
    post = world._post

    def refusing(posts: Sequence[Post]) -> list[None]:
        if any(each.topic.startswith("dead-letters") for each in posts):
            raise KafkaRefusedError("too long")
        return post(posts)

    world._post = refusing  # type: ignore[method-assign]
    run(world.deliver(b"garbage", delivery("b")))
    assert world.states() == {"b": "sent"}


def test_lists_are_tried_until_they_answer() -> None:
    class Away:
        calls = 0

        def dead_address(self, user_id: str, address: str) -> None:
            self.calls += 1
            if self.calls < 4:
                raise ListsAwayError("away")

        def opted_out(self, user_id: str, channel: str) -> None:
            raise AssertionError

        def say(self, change: ConsentChange) -> None:
            raise AssertionError

        def refuses(self, user_id: str, topic: str) -> bool:
            raise AssertionError

    away = Away()
    waited: list[int] = []

    class Clock(LoopClock):
        async def sleep(self, ms: int) -> None:
            waited.append(ms)

    asyncio.run(WaitingLists(away, Clock(BASE)).dead_address("u1", "a"))
    assert away.calls == 4
    assert waited == [200, 400, 800]
