"""Identities in a real Redis."""

from __future__ import annotations

import asyncio
import uuid

import pytest
import redis

from kairos.adapters.identity import WAITING_SECONDS, RedisIdentity
from kairos.apps.stack import Stack
from kairos.engine.normalise import Claim
from tests.access import identity_contract as contract

pytestmark = pytest.mark.stack


def test_redis(stack: Stack) -> None:
    async def run() -> None:
        identity = RedisIdentity(stack.settings.redis_url)
        for check in contract.CHECKS:
            await check(identity)
        await identity.close()

    asyncio.run(run())


def test_what_waits_is_forgotten_some_day(stack: Stack) -> None:
    device = uuid.uuid4().hex

    async def run() -> None:
        identity = RedisIdentity(stack.settings.redis_url)
        await identity.wait([([Claim("device_id", device)], b"x")])
        await identity.close()

    asyncio.run(run())
    client = redis.Redis.from_url(stack.settings.redis_url)
    assert WAITING_SECONDS - 100 < client.ttl(f"waiting:device_id:{device}") <= WAITING_SECONDS
    client.close()
