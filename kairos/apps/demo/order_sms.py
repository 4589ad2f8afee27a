"""An order in a shop's RabbitMQ that nobody pays, and the text message that asks for it by name: every step shown.

Ben pays, Anna does not. What the shop says has its own format and only the buyer's id; the bridge makes events of it,
the job finds who they are in Redis, a worker writes the text. This program acts the shop, and the provider's report.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kairos.apps.demo.observer import Fact, Observer
from kairos.apps.demo.queue import declare, publish
from kairos.apps.demo.services import Services
from kairos.apps.demo.story import Cast, Pace, Say, Story, event

QUEUE, SOURCE = "orders", "shop"
AMOUNTS = {"o-1": 24.5, "o-2": 59.9}
PEOPLE = {
    "anna": {"name": "Anna Lind", "phone": "+8613800000001"},
    "ben": {"name": "Ben Okoro", "phone": "+8613800000002"},
}
CAST = Cast(
    PEOPLE,
    texts={
        "anna": ["Anna Lind, your order o-2 of 59.9 is waiting for its payment."],
        "ben": [],  # Anna's is decided later than his would have been, so none comes any more
    },
    wait=("within", "10m"),
)


class OrderSms(Story):
    def __init__(self, folder: Path, rules: Path, pace: Pace, say: Say) -> None:
        bridge = ("rabbitmq", "--queue", QUEUE, "--source", SOURCE)
        services = Services(folder, ("sms",), lambda line: say(f"  {line}"), bridge)
        super().__init__(services, CAST, rules, pace, say)

    def _prepare(self) -> None:
        declare(self._services.stack.settings.rabbitmq_url, QUEUE)

    def _tell(self, observer: Observer) -> None:
        self._say("\nRedis has the buyers' names and phones, an order has neither")
        for user, profile in PEOPLE.items():
            self._say(f"{'':>16}{user:<6} {'profile':<9} {', '.join(profile.values())}")

        self._say("\nBen orders, and pays")
        self._shop_says("m-1", "order_created", "ben", "o-1")
        observer.until("ben's order", event("ben", "order_created"))
        self._shop_says("m-2", "order_paid", "ben", "o-1")
        observer.until("ben's payment", event("ben", "order_paid"))

        waits = f"{self._pace.text} (the rule says {CAST.wait[1]}, shortened here)"
        self._say(f"\nAnna orders, which the shop says twice, and does not pay for {waits}: a text message")
        self._shop_says("m-3", "order_created", "anna", "o-2", times=2)
        observer.until("anna's order", event("anna", "order_created"))
        self._text_arrives(observer, "anna", self._pace.seconds)

    def _shop_says(self, message: str, kind: str, user: str, order: str, times: int = 1) -> None:
        """`message`: its id, which is the same each of the `times`."""
        now = time.time_ns() // 1_000_000
        at = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
        detail = {"order_id": order, "amount": AMOUNTS[order]}
        body = msgspec.json.encode({"kind": kind, "buyer": {"id": user}, "at": at, "order": detail})
        for _ in range(times):
            publish(self._services.stack.settings.rabbitmq_url, QUEUE, message, body)
            self._say(Fact(now, user, "message", f"{message} {body.decode()}", {}).line)
