"""Identities in a real Redis."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
import redis

from kairos.adapters.profiles.identity import WAITING_SECONDS, RedisIdentity
from kairos.adapters.sources.seen import RedisSeen
from kairos.apps.stack import Stack
from kairos.engine.source.normalise import Claim
from kairos.usecases.intake.batch import Item
from kairos.usecases.intake.intake import Intake
from tests.access import identity_contract as contract
from tests.access import seen_contract
from tests.access.gateway.gateway_kit import Kit, event

pytestmark = pytest.mark.stack


def test_redis(stack: Stack) -> None:
    async def run() -> None:
        identity = RedisIdentity(stack.settings.redis_url)
        for check in contract.CHECKS:
            await check(identity)
        await identity.close()

    asyncio.run(run())


def test_signed_requests_that_were_seen(stack: Stack) -> None:
    async def run() -> None:
        one, other = (RedisSeen(stack.settings.redis_url) for _ in range(2))
        for check in seen_contract.CHECKS:
            await check(one, other)
        token = uuid.uuid4().hex
        assert await one.claim(token, 1)
        while not await other.claim(token, 600_000):
            await asyncio.sleep(0)  # its time is Redis' to keep
        await one.close()
        await other.close()

    asyncio.run(run())


def test_nothing_gets_lost_between_waiting_and_binding(stack: Stack) -> None:
    """Events of a device come in on many requests at the moment in which somebody says whose it is."""
    device, user, count = uuid.uuid4().hex, uuid.uuid4().hex, 200

    async def run() -> list[str]:
        kit, identity = Kit(), RedisIdentity(stack.settings.redis_url)
        intake = Intake(kit.producer, identity, kit.metrics, lambda: kit.now)
        await kit.registry.refresh()
        door = kit.registry.named("app")
        assert door is not None

        def item(fields: dict[str, Any]) -> Item:
            return Item(json.dumps(fields).encode())

        binding = item(event(id="i", type="identify", user_id=user, props={"device_id": device}))
        views = [
            item(event(id=str(n), type="view", user_id=..., props={"device_id": device})) for n in range(count)
        ]  # fmt: skip
        first, *rest = views
        await intake.take(door, [first])
        halves = (*rest[: count // 2], binding, *rest[count // 2 :])
        await asyncio.gather(*(intake.take(door, [each]) for each in halves))
        await intake.take(door, [binding])
        await identity.close()
        sent = kit.producer.events("events.app")
        assert {record["user_id"] for record in sent} == {user}
        assert next(record for record in sent if record["id"] == "0")["merged"]
        return [record["id"] for record in sent]

    assert sorted(asyncio.run(run()), key=int) == [str(n) for n in range(count)]


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
