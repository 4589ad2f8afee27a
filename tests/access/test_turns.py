"""Whose request is next: told by the order in which requests had their turn."""

from __future__ import annotations

import asyncio

from kairos.usecases.intake.turns import Turns

FLOOD = 40


def test_a_flood_waits_behind_itself() -> None:
    """Who comes while forty of one source wait is served after one of them, and so is a third."""
    had: list[str] = []

    async def ask(turns: Turns, source: str) -> None:
        await turns.next(source)
        had.append(source)

    async def play() -> None:
        turns = Turns(250, lambda: 0)
        async with asyncio.TaskGroup() as group:
            for _ in range(FLOOD):
                group.create_task(ask(turns, "bulk"))
            await asyncio.sleep(0)
            for source in ("shop", "app", "shop"):
                group.create_task(ask(turns, source))

    asyncio.run(play())
    assert sorted(had[:6]) == ["app", "bulk", "bulk", "bulk", "shop", "shop"]
    assert had[6:] == ["bulk"] * (FLOOD - 3)


def test_others_are_heard_between_two_turns() -> None:
    """Heads and answers of other requests, which cost the loop a round each, wait for one request and not for all."""
    order: list[str] = []

    async def ask(turns: Turns) -> None:
        await turns.next("bulk")
        order.append("turn")

    async def play() -> None:
        turns = Turns(250, lambda: 0)
        asked = [asyncio.create_task(ask(turns)) for _ in range(5)]
        while not all(task.done() for task in asked):
            order.append("round")
            await asyncio.sleep(0)

    asyncio.run(play())
    assert order.count("turn") == 5
    assert "turn,turn" not in ",".join(order)


def test_a_source_of_which_one_waits_for_long_is_full_until_that_one_had_its_turn() -> None:
    now = 0

    async def play() -> None:
        nonlocal now
        turns = Turns(250, lambda: now)
        waiting = asyncio.create_task(turns.next("bulk"))
        gone = asyncio.create_task(turns.next("bulk"))
        await asyncio.sleep(0)
        now = 250
        assert not turns.full("bulk")
        now = 251
        assert turns.full("bulk")
        assert not turns.full("shop")
        gone.cancel()
        await waiting
        await turns.next("shop")
        assert not turns.full("bulk")

    asyncio.run(play())
