"""The identities in memory that other tests use keep the contract that Redis keeps in `tests/stack`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kairos.adapters.profiles.identity import Identity, IdentityAwayError, RedisIdentity
from kairos.engine.source.normalise import Claim
from tests.access import identity_contract as contract
from tests.access.memory_identity import MemoryIdentity


@pytest.mark.parametrize("check", contract.CHECKS)
def test_memory(check: Callable[[Identity], Awaitable[None]]) -> None:
    async def run() -> None:
        await check(MemoryIdentity())

    asyncio.run(run())


def test_a_redis_that_is_away_is_told_as_such() -> None:
    async def run() -> None:
        identity = RedisIdentity("redis://127.0.0.1:1/0")
        claim = Claim("device_id", "d1")
        for attempt in (identity.users([claim]), identity.wait([([claim], b"x")]), identity.bind([claim], "u1")):
            with pytest.raises(IdentityAwayError, match="does not answer"):
                await attempt
        await identity.close()

    asyncio.run(run())
