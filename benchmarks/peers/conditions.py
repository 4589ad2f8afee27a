"""Ten conditions as rules have them, in three languages, and events to ask them of. Standard library only."""

from __future__ import annotations

import gc
import json
import random
import time
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

Context = Any


class Condition(NamedTuple):
    kairos: str
    zen: str
    cel: str


CONDITIONS = (
    Condition("amount >= 200", "amount >= 200", "event.amount >= 200"),
    Condition(
        'amount >= 100 and amount < 200 and city == "Shenzhen"',
        'amount >= 100 and amount < 200 and city == "Shenzhen"',
        'event.amount >= 100 && event.amount < 200 && event.city == "Shenzhen"',
    ),
    Condition(
        'city in ["Shenzhen", "Beijing", "Shanghai"]',
        'city in ["Shenzhen", "Beijing", "Shanghai"]',
        'event.city in ["Shenzhen", "Beijing", "Shanghai"]',
    ),
    Condition(
        'channel == "app" or channel == "web" and quantity > 2',
        'channel == "app" or channel == "web" and quantity > 2',
        'event.channel == "app" || event.channel == "web" && event.quantity > 2',
    ),
    Condition(
        'not (status == "refunded") and price > 9.99',
        'not (status == "refunded") and price > 9.99',
        '!(event.status == "refunded") && event.price > 9.99',
    ),
    Condition('starts_with(sku, "SKU-1")', 'startsWith(sku, "SKU-1")', 'event.sku.startsWith("SKU-1")'),
    Condition('contains(title, "shoes")', 'contains(title, "shoes")', 'event.title.contains("shoes")'),
    # Between two cents: zen-engine counts in decimals, and may differ from floats where both sides are equal.
    Condition(
        "price * quantity - discount > 100.005",
        "price * quantity - discount > 100.005",
        "event.price * double(event.quantity) - event.discount > 100.005",
    ),
    # From here on of props that only some events have: what is missing is null, and no condition holds of it.
    Condition('coupon == "VIP"', 'coupon == "VIP"', 'has(event.coupon) && event.coupon == "VIP"'),
    Condition(
        'points >= 500 or city == "Beijing"',
        'points != null and points >= 500 or city == "Beijing"',
        'has(event.points) && event.points >= 500 || event.city == "Beijing"',
    ),
)


def events(count: int) -> list[dict[str, Any]]:
    """Props of so many events, always the same."""
    chance = random.Random(7)
    return [_props(chance, number) for number in range(count)]


def _props(chance: random.Random, number: int) -> dict[str, Any]:
    props = {
        "order_id": f"o{number}",
        "amount": chance.randrange(300),
        "quantity": chance.randrange(1, 6),
        "price": chance.randrange(100, 9_000) / 100,
        "discount": chance.randrange(0, 2_000) / 100,
        "city": chance.choice(("Shenzhen", "Beijing", "Shanghai", "Chengdu", "Wuhan")),
        "channel": chance.choice(("app", "web", "shop")),
        "status": chance.choice(("paid", "shipped", "refunded")),
        "sku": f"SKU-{chance.randrange(10_000)}",
        "title": chance.choice(("running shoes, blue", "rain coat", "hiking shoes", "umbrella")),
    }
    if number % 2:
        props["coupon"] = chance.choice(("VIP", "NEW"))
    if number % 3:
        props["points"] = chance.randrange(1_000)
    return props


def measure(
    given: list[dict[str, Any]],
    evaluators: list[Callable[[Context], Any]],
    prepare: Callable[[dict[str, Any]], Context],
) -> str:
    """One JSON line, as benchmarks/kit/sides.py has: evaluations, seconds, how many were true, the answers as a number.

    `prepare` makes of an event's props what all evaluators are asked with; it counts.
    """
    answers = bytes(evaluate(prepare(props)) is True for props in given for evaluate in evaluators)
    gc.disable()
    began, processor = time.perf_counter(), time.process_time()
    for props in given:
        context = prepare(props)
        for evaluate in evaluators:
            evaluate(context)
    processor, seconds = time.process_time() - processor, time.perf_counter() - began
    gc.enable()
    said = {"done": len(given) * len(evaluators), "seconds": seconds, "processor": processor}
    return json.dumps({**said, "results": sum(answers), "digest": zlib.crc32(answers)})
