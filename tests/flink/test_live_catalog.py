"""Catalogs and coupons in the live job: a change reaches each follower once, each message has a code of its own, also
over a kill."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from harness.job import LiveJob, event, eventually, now
from harness.rules import write_activity
from kairos.adapters.coupons.redis import RedisCoupons
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.timeout(600)]

DROP = """
    activity: drop
    state: live
    trigger: {event: catalog.changed, as: c, where: price < was_price}
    data: {sku: c.sku, now: c.price, was: c.was_price, code: 'coupon("%s")'}
    send: [{channel: webhook, template: drop}]
"""
CODES = [f"C{n}" for n in range(20)]


def item(sku: str, price: int, at: int) -> dict[str, Any]:
    return event(sku, "catalog.item", at, catalog="products", sku=sku, price=price, title="Lamp")


@pytest.fixture(scope="module")
def names() -> tuple[str, str]:
    """Of the pool and of the item: both lie in a Redis that others use."""
    return f"s{uuid.uuid4().hex[:8]}", f"p{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def job(
    stack: Stack, live_job: Callable[..., LiveJob], names: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> LiveJob:
    rules = tmp_path_factory.mktemp("rules")
    write_activity(rules, "drop", DROP % names[0])
    (rules / "catalogs.yaml").write_text(
        "products: {key: sku, fields: {price: number, title: string}, follow: {wish: 90d}}\n"
    )
    (rules / "coupons.yaml").write_text(f"{names[0]}: {{codes: codes.txt}}\n")
    (rules / "codes.txt").write_text("\n".join(CODES))
    (rules / "templates").mkdir()
    text = "{{ products[sku].title }}: {{ now }}, was {{ was }}. {{ code }}\n"
    (rules / "templates/drop.webhook.liquid").write_text(text)
    job = live_job(rules, f"profiles.redis={stack.settings.redis_url}")
    job.settings.append(rf"kafka.events=events\.({job.name}\..*|kairos)")
    job.start().until_running()
    return job


def deliveries(job: LiveJob) -> list[dict[str, Any]]:
    return job.topics.read(f"{job.name}.deliveries.webhook")


def test_a_drop_reaches_each_follower_once_with_a_code_of_its_own_over_a_kill(
    job: LiveJob, stack: Stack, names: tuple[str, str]
) -> None:
    pool, sku = names
    start, users = now() - 30_000, [f"u{n}" for n in range(6)]
    job.send(item(sku, 100, start))
    job.send(*(event(user, "wish", start + 1_000, sku=sku) for user in users))
    job.send(event("other", "wish", start + 1_000, sku="another"), item(sku, 80, start + 2_000))
    first = eventually(lambda: deliveries(job), lambda found: len(found) >= len(users))
    assert {message["values"]["products"][sku]["title"] for message in first} == {"Lamp"}
    assert {(m["values"]["now"], m["values"]["was"]) for m in first} == {(80, 100)}
    before = job.checkpoints()
    eventually(job.checkpoints, lambda done: done > before)
    assert job.process is not None
    job.process.kill()
    job.start("--from", "latest").until_running()
    job.send(event("late", "wish", now() - 3_000, sku=sku), item(sku, 60, now() - 1_000))
    decided = eventually(job.decisions, lambda found: len({key_of(d) for d in found}) >= 2 * len(users) + 1)
    assert {d["outcome"] for d in decided} == {"send"}
    told = {key_of(d): d for d in decided}
    assert Counter(d["user_id"] for d in told.values()) == {**dict.fromkeys(users, 2), "late": 1}
    codes = Counter(d["data"]["code"] for d in told.values())
    assert set(codes.values()) == {1}
    store = RedisCoupons(stack.settings.redis_url)
    contents = store.contents(pool)
    store.close()
    assert sorted([*contents.free, *(code for code, _ in contents.held)]) == sorted(CODES)
    assert {code for code, _ in contents.held} == codes.keys()
    assert eventually(lambda: job.counters()["catalog.catalog_told"], lambda told: told > len(users)) == len(users) + 1


def key_of(decision: dict[str, Any]) -> tuple[str, str]:
    return decision["user_id"], decision["occurrence"]
