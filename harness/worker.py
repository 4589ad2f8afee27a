"""`kairos deliver` as a real process against the stack, for tests that look at it from outside."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sql
from ruamel.yaml import YAML

from harness.job import Topics
from harness.world import Running
from kairos.adapters.database.connection import open_engine
from kairos.adapters.delivery.tables import CALLS, LEDGER
from kairos.apps.stack import Stack
from kairos.engine.effect import Delivery, Recall

HOUR = 3_600_000
RULES = {"policy.yaml": "timezone: UTC\n", "templates/t.sms.liquid": "Hello {{ name }}\n"}


def now() -> int:
    return time.time_ns() // 1_000_000


class DeliveryPlace:
    """A prefix of its own on the stack's Kafka, a SQLite or MariaDB ledger, a folder: what outlives workers."""

    def __init__(self, folder: Path, stack: Stack, channels: Mapping[str, Mapping[str, Any]], store: str = "") -> None:
        self.folder = folder
        self.prefix = f"d{uuid.uuid4().hex[:8]}."
        self.topics = Topics(stack.settings.kafka)
        self.store = store or f"sqlite:///{folder}/delivery.db"
        self.conf = folder / "conf.yaml"
        self.outbox = folder / "outbox.jsonl"
        document = {
            "kafka": {"bootstrap": stack.settings.kafka, "prefix": self.prefix},
            "rules": {"store": str(self._rules())},
            "profiles": {"redis": stack.settings.redis_url},
            "state": {"checkpoints": str(folder / "checkpoints")},
            "delivery": {"store": self.store, "channels": {k: dict(v) for k, v in channels.items()}},
        }
        with self.conf.open("w") as file:
            YAML().dump(document, file)

    def _rules(self) -> Path:
        rules = self.folder / "rules"
        for name, text in RULES.items():
            (rules / name).parent.mkdir(parents=True, exist_ok=True)
            (rules / name).write_text(text)
        return rules

    def worker(self, *arguments: str, **environment: str) -> Worker:
        return Worker(self.folder, ["--conf", str(self.conf), *(arguments or ("sms",))], environment)

    def send(self, *notes: Delivery | Recall) -> None:
        """Into the topic of their channel, which a worker has made."""
        for note in notes:
            body = {"recall": note} if isinstance(note, Recall) else note
            topic = f"{self.prefix}deliveries.{note.channel}"
            self.topics.send_raw(topic, note.user_id, msgspec.json.encode(body), note.at)
        self.topics.flush()

    def receipts(self) -> list[dict[str, Any]]:
        return self.topics.read(self.prefix + "receipts")

    def statuses(self) -> dict[str, list[str]]:
        """User -> statuses of its receipts, in order; a repeated one once."""
        found: dict[str, list[str]] = {}
        for receipt in self.receipts():
            known = found.setdefault(receipt["user_id"], [])
            if receipt["props"]["status"] not in known:
                known.append(receipt["props"]["status"])
        return found

    def letters(self, channel: str = "sms") -> list[dict[str, Any]]:
        return self.topics.read(f"{self.prefix}dead-letters.{channel}")

    def sent(self) -> list[dict[str, Any]]:
        """What the `file` provider has written, where its path is `outbox`."""
        lines = self.outbox.read_bytes().splitlines() if self.outbox.exists() else []
        return [msgspec.json.decode(line) for line in lines]

    def rows(self) -> list[dict[str, Any]]:
        return self._table(LEDGER)

    def calls(self) -> list[dict[str, Any]]:
        return self._table(CALLS)

    def _table(self, table: sql.Table) -> list[dict[str, Any]]:
        engine = open_engine(self.store)
        try:
            with engine.connect() as connection:
                return [dict(row) for row in connection.execute(sql.select(table)).mappings()]
        finally:
            engine.dispose()

    def close(self) -> None:
        self.topics.close()


class Worker(Running):
    """One process. Whatever becomes of the test, `kill` it."""

    def __init__(self, folder: Path, arguments: list[str], environment: Mapping[str, str]) -> None:
        output = folder / f"worker-{time.monotonic_ns()}.out"
        super().__init__(output, ["kairos", "deliver", *arguments], environment)

    def until_at_work(self) -> Worker:
        return self.until_said("at work")


def delivery(user: str, **more: Any) -> Delivery:
    fields: dict[str, Any] = {
        "activity": "nudge",
        "version": "v",
        "occurrence": "o1",
        "attempt": 1,
        "channel": "sms",
        "template": "t",
        "address": f"+{user}",
        "at": now() - 1_000,
        "not_before": 0,
        "send_before": now() + HOUR,
        "values": {"name": user},
        **more,
    }
    return Delivery(user_id=user, **fields)
