"""Signed requests that were seen, in memory; Redis keeps the same contract in `tests/stack`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kairos.adapters.sources.seen import MemorySeen, RedisSeen, Seen, SeenAwayError
from tests.access import seen_contract as contract


@pytest.mark.parametrize("check", contract.CHECKS)
def test_memory(check: Callable[[Seen, Seen], Awaitable[None]]) -> None:
    async def run() -> None:
        seen = MemorySeen(lambda: 0)
        await check(seen, seen)

    asyncio.run(run())


def test_it_forgets_in_time_and_remembers_no_more_than_it_may() -> None:
    now = 0
    seen = MemorySeen(lambda: now, most=3)

    async def run() -> None:
        nonlocal now
        assert [await seen.claim(name, 100) for name in "abc"] == [True] * 3
        with pytest.raises(SeenAwayError, match="too many"):
            await seen.claim("d", 100)
        assert not await seen.claim("a", 100)
        now = 100
        assert [await seen.claim(name, 100) for name in "da"] == [True] * 2
        assert not await seen.claim("d", 100)

    asyncio.run(run())


def test_a_redis_that_is_away_is_told_as_such() -> None:
    async def run() -> None:
        seen = RedisSeen("redis://127.0.0.1:1/0")
        with pytest.raises(SeenAwayError, match="does not answer"):
            await seen.claim("a", 100)
        with pytest.raises(SeenAwayError):
            await seen.release("a")
        await seen.close()

    asyncio.run(run())
