"""Whatever the provider answers and wherever workers die: nothing is lost, and nothing goes twice that may not.

Workers die at a transaction, a post or a call, before it or after it, and others take over what they have not
acknowledged, while a second worker may have the same records in hand.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.adapters.channels.channel import (
    Accepted,
    DeadAddress,
    Message,
    Misconfigured,
    Outcome,
    Refused,
    Rejected,
    Retry,
    Unknown,
)
from kairos.adapters.delivery.mailbox import Parcel
from kairos.adapters.delivery.tables import FINAL
from tests.delivery.kit import HOUR, ListMailbox, Script, World, delivery, parcels, recall_of
from tests.delivery.virtual_loop import run

ATTEMPTS = 3
ANSWERS = st.sampled_from(
    [
        Accepted(),
        Retry("busy"),
        Rejected("no"),
        DeadAddress("gone"),
        Refused("403"),
        Misconfigured("token"),
        Unknown("cut"),
    ]
)
SCRIPTS = st.lists(st.lists(ANSWERS, max_size=5), min_size=1, max_size=4)


class Provider(Script):
    """Answers each user by a script of its own, then takes everything. `log`: user -> outcomes, call by call."""

    def __init__(self, scripts: list[list[Outcome]]) -> None:
        super().__init__(self._next)
        self._scripts = {f"u{n}": iter(script) for n, script in enumerate(scripts)}
        self.log: defaultdict[str, list[Outcome | None]] = defaultdict(list)

    async def send(self, message: Message) -> Outcome:
        number = len(self.log[message.user_id])
        self.log[message.user_id].append(None)  # nobody heard of it, until it has answered
        outcome = await super().send(message)
        self.log[message.user_id][number] = outcome
        return outcome

    def _next(self, message: Message, _number: int) -> Outcome:
        return next(self._scripts[message.user_id], Accepted())


class Mortal(World):
    """`deaths`: (what, the how manyth time, whether it had been done): then the workers die."""

    def __init__(self, scripts: list[list[Outcome]], deaths: list[tuple[str, int, bool]], resend: bool) -> None:
        super().__init__(Provider(scripts), resend=resend, attempts=ATTEMPTS, max_age=1000 * HOUR)
        self.agree = 99  # what each user's server refuses is its own affair here
        self.deaths = list(deaths)
        self.reached: Counter[str] = Counter()
        self.dead = asyncio.Event()
        self.recalled_after = 0

    async def execute(self, work: Callable[[Any], Any], items: Any) -> Any:
        what = "transaction" if work == self._apply else "post"
        return await self.fatal(what, lambda: super(Mortal, self).execute(work, items))

    async def fatal(self, what: str, act: Callable[[], Any]) -> Any:
        self.reached[what] += 1
        due = [death for death in self.deaths if death[:2] == (what, self.reached[what])]
        if not due:
            return await act()
        self.deaths.remove(due[0])
        if due[0][2]:
            await act()
        self.dead.set()
        return await asyncio.Event().wait()  # nobody hears the answer

    async def pause(self, channel: str, reason: str) -> None:
        """Somebody mends it at once."""
        await super().pause(channel, reason)
        for tools in self.at_work:
            tools.gate.set(None, paused=False)

    async def live_and_die(self, given: list[Parcel], twins: int) -> None:
        left = given
        for life in range(len(self.deaths) + 1):
            left = await self._life(left, life, twins)
            if not left:
                return
        raise AssertionError(f"not done: {left}")

    async def _life(self, given: list[Parcel], life: int, twins: int) -> list[Parcel]:
        """`twins` workers with the same records; what none of them has acknowledged."""
        self.dead.clear()
        recalls = [parcel for parcel in given if b'"recall"' in parcel.value]
        first = [parcel for parcel in given if parcel not in recalls]
        batches = [(0, first)] * bool(first) + [(self.recalled_after, recalls)] * bool(recalls)
        mailboxes = [ListMailbox(batches) for _ in range(twins)]
        workers = [self.worker(mailbox, f"w{life}-{twin}") for twin, mailbox in enumerate(mailboxes)]
        self.at_work = [worker._tools for worker in workers]
        running = [asyncio.create_task(worker.run()) for worker in workers]
        dying = asyncio.create_task(self.dead.wait())
        everybody = asyncio.gather(*running)
        await asyncio.wait([everybody, dying], return_when=asyncio.FIRST_COMPLETED)
        alive = not self.dead.is_set()
        for task in (*running, dying):
            task.cancel()
        for worker in workers:
            await worker.abandon()
            worker._tools.ledger.close()
            worker._tools.posts.close()
        await asyncio.gather(*running, dying, return_exceptions=True)
        everybody.cancel()
        if alive:
            return []
        return [parcel for parcel in given if all(parcel in mailbox.left for mailbox in mailboxes)]


def expected(script: list[Outcome], resend: bool) -> tuple[str, int]:
    """Final state and number of calls of a delivery whose workers live: one answer after the other."""
    tries = 0
    for number, outcome in enumerate([*script, *[Accepted()] * ATTEMPTS], 1):
        tries = 0 if isinstance(outcome, Misconfigured) else tries + 1
        if isinstance(outcome, Accepted):
            return "sent", number
        failed = "unknown" if any(isinstance(said, Unknown) for said in script[:number]) else "failed"
        if isinstance(outcome, Rejected | DeadAddress):
            return failed, number
        if isinstance(outcome, Unknown) and (not resend or tries == ATTEMPTS):
            return "unknown", number
        if isinstance(outcome, Retry | Refused) and tries == ATTEMPTS:
            return failed, number
    raise AssertionError("a script always ends")


def notes(scripts: list[list[Outcome]], repeats: list[int]) -> list[Parcel]:
    made = [delivery(f"u{n}", send_before=10_000 * HOUR) for n in range(len(scripts))]
    return parcels([*made, *(made[n % len(made)] for n in repeats)])


@settings(max_examples=150)
@given(SCRIPTS, st.lists(st.integers(0, 9), max_size=3), st.booleans(), st.integers(1, 2))
def test_workers_that_live_do_what_the_answers_say(
    scripts: list[list[Outcome]], repeats: list[int], resend: bool, twins: int
) -> None:
    async def scenario() -> Mortal:
        world = Mortal(scripts, [], resend)
        await world.live_and_die(notes(scripts, repeats), twins)
        return world

    world = run(scenario())
    calls = {user: len(log) for user, log in world.provider.log.items()}
    wanted = {f"u{n}": expected(script, resend) for n, script in enumerate(scripts)}
    assert {user: (state, calls[user]) for user, state in world.states().items()} == wanted
    assert len(world.ledger.calls) == sum(calls.values())


DEATHS = st.lists(
    st.tuples(st.sampled_from(["transaction", "post", "call"]), st.integers(1, 8), st.booleans()), max_size=4
)


@settings(max_examples=300)
@given(SCRIPTS, DEATHS, st.booleans(), st.integers(1, 2), st.lists(st.integers(0, 9), max_size=2), st.data())
def test_workers_that_die_lose_nothing_and_send_nothing_twice(
    scripts: list[list[Outcome]],
    deaths: list[tuple[str, int, bool]],
    resend: bool,
    twins: int,
    repeats: list[int],
    data: st.DataObject,
) -> None:
    given_parcels = notes(scripts, repeats)
    recalled = data.draw(st.sets(st.integers(0, len(scripts) - 1)))
    delay = data.draw(st.sampled_from([0, 7, 30, 500, 2_000]))  # ms: before, during and between calls
    made = [delivery(f"u{n}") for n in sorted(recalled)]
    given_parcels += parcels([recall_of(note) for note in made], len(given_parcels))

    async def scenario() -> Mortal:
        world = Mortal(scripts, deaths, resend)
        world.recalled_after = delay
        send = world.provider.send
        world.provider.send = lambda message: world.fatal("call", lambda: send(message))  # type: ignore[method-assign]
        await world.live_and_die(given_parcels, twins)
        return world

    world = run(scenario())
    assert set(world.states()) == {f"u{n}" for n in range(len(scripts))}
    assert set(world.states().values()) <= FINAL
    told: defaultdict[str, set[str]] = defaultdict(set)
    for user, status, _ in world.receipts():
        told[user].add(status)
    for user, state in world.states().items():
        judge(state, told[user], world.provider.log[user], resend, known_ends(world, user))


def known_ends(world: World, user: str) -> list[str | None]:
    """What the ledger says became of each call."""
    key = next(row.key for row in world.ledger.rows.values() if row.user_id == user)
    return [call.outcome for (of, _), call in sorted(world.ledger.calls.items()) if of == key]


def judge(state: str, told: set[str], log: list[Outcome | None], resend: bool, ends: list[str | None]) -> None:
    """`log`: what the provider answered, null where nobody lived to hear it."""
    final = (Accepted, Rejected, DeadAddress)
    again = log[:-1]  # those after which it was called once more
    if not resend:
        assert not any(outcome is None or isinstance(outcome, (*final, Unknown)) for outcome in again)
    # what was answered and written down as final is never followed by a call
    assert not any(end in ("accepted", "rejected", "dead_address") for end in ends[:-1])
    assert len(ends) >= len(log)
    assert state in told or (state == "sent" and "delivered" in told)
    assert told <= {state, "too_late", "recalled"}
    if state == "sent":
        assert isinstance(log[-1], Accepted)
    if state == "recalled":
        assert all(isinstance(outcome, Retry | Refused | Misconfigured) for outcome in log)
    if state == "failed":
        assert None not in ends
        assert "unknown" not in ends
    if state == "unknown":
        assert None in ends or "unknown" in ends
