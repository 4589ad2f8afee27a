"""Rate and pause reach the gate within a look; a pause is never undone by an answer that is older."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.delivery.controls import Control, Controls
from kairos.adapters.delivery.policy import Policy
from kairos.adapters.metrics.declared import DELIVERY, LETTERS, MESSAGES, RETRIES
from kairos.adapters.metrics.metrics import Metrics
from kairos.apps.delivery.clock import WallClock
from kairos.apps.delivery.pace.governor import Governor
from kairos.apps.delivery.pace.rate import TokenBucket
from kairos.apps.delivery.pace.turnstile import Turnstile
from kairos.apps.delivery.pace.wake import Wake
from kairos.apps.delivery.tally import Tally
from tests.delivery.virtual_loop import LoopClock, run


@pytest.fixture
def controls(tmp_path: Path) -> Controls:
    engine = open_engine(f"sqlite:///{tmp_path}/delivery.db")
    create_tables(engine)
    return Controls(engine)


def test_what_people_set_is_read_back(controls: Controls) -> None:
    assert controls.read("sms") == Control("sms")
    controls.limit("sms", 50.0, "ann", 1)
    controls.pause("sms", "trouble", "bob", 2)
    assert controls.read("sms") == Control("sms", 50.0, True, "trouble", "bob", 2)
    controls.resume("sms", "ann", 3)
    controls.limit("sms", None, "ann", 3)
    controls.pause("push", None, "ann", 4)
    assert controls.all() == [Control("push", None, True, None, "ann", 4), Control("sms", None, False, None, "ann", 3)]


def test_workers_that_are_not_seen_any_more_do_not_count(controls: Controls) -> None:
    assert [controls.beat(worker, "sms", 10_000) for worker in ("w1", "w2", "w2")] == [1, 2, 2]
    assert controls.beat("w3", "push", 10_000) == 1
    assert controls.beat("w1", "sms", 15_001) == 1
    assert controls.workers(15_001) == {"sms": 1}
    controls.leave("w1")
    assert controls.workers(15_001) == {}


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    away = Controls(open_engine("mysql+pymysql://u:p@127.0.0.1:1/d"))
    for call in (lambda: away.read("sms"), lambda: away.beat("w", "sms", 0), lambda: away.pause("sms", None, "a", 0)):
        with pytest.raises(DatabaseAwayError):
            call()


class Slow(Controls):
    """`look` reads, and answers only when told."""

    def __init__(self, controls: Controls) -> None:
        self._engine = controls._engine
        self.hold: asyncio.Event | None = None
        self.asked = threading.Event()
        self.loop = asyncio.get_running_loop()

    def read(self, channel: str) -> Control:
        found = super().read(channel)
        self.asked.set()
        if self.hold is not None:
            asyncio.run_coroutine_threadsafe(self.hold.wait(), self.loop).result()
        return found


async def passes(gate: Turnstile) -> bool:
    """Whether somebody who asks now is let in at once."""
    asking = asyncio.ensure_future(gate.enter(Wake(), 2**60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    inside = asking.done()
    if inside:
        gate.leave()
    asking.cancel()
    return inside


def test_nobody_passes_before_the_first_look_and_pause_acts_at_once(controls: Controls) -> None:
    async def scenario() -> None:
        gate = Turnstile(WallClock(), 5)
        governor = Governor(controls, gate, "sms", "w1", WallClock())
        assert not await passes(gate)
        await governor.look()
        assert await passes(gate)
        await asyncio.gather(*(governor.pause("sms", "wrong token") for _ in range(3)))
        assert not await passes(gate)
        control = controls.read("sms")
        assert (control.paused, control.reason, control.changed_by) == (True, "wrong token", "worker w1")
        await governor.look()
        assert not await passes(gate)
        controls.resume("sms", "ann", 1)
        await governor.look()
        assert await passes(gate)

    asyncio.run(scenario())


def test_workers_of_a_channel_share_its_rate(controls: Controls) -> None:
    async def scenario() -> None:
        clock = LoopClock(0)
        gate = Turnstile(clock, 1_000)
        governor = Governor(controls, gate, "sms", "w1", clock)
        controls.limit("sms", 40.0, "ann", 0)
        controls.beat("w2", "sms", clock.now())
        controls.beat("w3", "push", clock.now())
        await governor.look()
        entered = [asyncio.ensure_future(gate.enter(Wake(), 2**60)) for _ in range(500)]
        await asyncio.sleep(5)
        assert 100 <= sum(task.done() for task in entered) <= 102
        controls.leave("w2")
        await governor.look()
        await asyncio.sleep(5)
        assert 299 <= sum(task.done() for task in entered) <= 304
        gate.close()
        for task in entered:
            task.cancel()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "to_thread", _at_once)  # virtual time knows no threads
        run(scenario())


async def _at_once(call: Callable[[], Any]) -> Any:
    return call()


def test_an_answer_from_before_the_pause_does_not_undo_it(controls: Controls) -> None:
    async def scenario() -> None:
        slow = Slow(controls)
        gate = Turnstile(WallClock(), 5)
        governor = Governor(slow, gate, "sms", "w1", WallClock())
        slow.hold = asyncio.Event()
        looking = asyncio.create_task(governor.look())
        await asyncio.to_thread(slow.asked.wait)
        await governor.pause("sms", "wrong token")
        slow.hold.set()
        await looking
        assert not await passes(gate)

    asyncio.run(scenario())


def test_a_bucket_never_gives_more_than_its_rate() -> None:
    bucket, chance = TokenBucket(40.0, 0), Random(1)
    taken: list[int] = []
    now = 0
    while now < 60_000:
        wait = bucket.take(now)
        if not wait:
            taken.append(now)
        now += wait if wait and chance.random() < 0.7 else chance.randrange(30)
    for start in range(0, 59_000, 250):
        assert sum(start <= at < start + 1_000 for at in taken) <= 40 + 4


def test_pauses_grow_and_are_never_shorter_than_asked() -> None:
    policy, chance = Policy(resend=False, backoff=100, max_backoff=1_000), Random(1)
    for tries, longest in ((1, 100), (2, 200), (4, 800), (9, 1_000), (5_000, 1_000)):
        drawn = [policy.pause(tries, None, chance) for _ in range(200)]
        assert 1 <= min(drawn) < longest / 3
        assert longest / 2 < max(drawn) <= longest
    assert policy.pause(1, 7_000, chance) == 7_000


def test_the_counters_are_one_line() -> None:
    metrics = Metrics(DELIVERY)
    for outcome, reason, n in (("sent", "", 12), ("failed", "rejected", 2), ("failed", "content", 1)):
        metrics.add(MESSAGES, n, channel="sms", outcome=outcome, reason=reason)
    metrics.add(RETRIES, 4, channel="sms")
    metrics.add(LETTERS, channel="sms", reason="malformed")
    metrics.add(MESSAGES, channel="push", outcome="sent", reason="")
    assert Tally("sms", metrics, lambda: (5, None)).line() == (
        "sent 12, failed 3 (content 1, rejected 2), retries 4, unknown 0, expired 0, recalled 0, malformed 1, "
        "waiting 5, lag unknown"
    )
