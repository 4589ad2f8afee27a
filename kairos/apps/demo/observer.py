"""What happens, as it happens: events, decisions and receipts in Kafka, and what providers write into their books."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition

from kairos.engine.topics import DECISIONS

PATIENCE_SECONDS = 90.0
"""How long a step may take beyond what the rules make it wait."""
PROVIDERS = {"wechat": "wechat", "twilio": "sms"}


class StoryError(Exception):
    """Something did not happen; the message says what."""


@dataclass(frozen=True)
class Fact:
    """`kind`: event, decision, taken or receipt. `at`: epoch ms. `detail`: the record itself."""

    at: int
    user: str
    kind: str
    words: str
    detail: dict[str, Any]

    @property
    def line(self) -> str:
        clock = datetime.fromtimestamp(self.at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        return f"  {clock}  {self.user:<6} {self.kind:<9} {self.words}"


class Observer:
    """`users`: by address, as providers know them. `say` gets each fact as a line, in the order of being seen."""

    def __init__(
        self, bootstrap: str, topics: Sequence[str], books: Path, users: dict[str, str], say: Callable[[str], None]
    ) -> None:
        self.facts: list[Fact] = []
        self._books, self._read, self._users, self._say = books, 0, users, say
        self._consumer: Any = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        places = [TopicPartition(name, part) for name in topics for part in self._consumer.partitions_for_topic(name)]
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)

    def until(self, what: str, wanted: Callable[[Fact], bool], extra_seconds: float = 0.0) -> Fact:
        """The first such fact, seen already or awaited. Raises StoryError."""
        limit = time.monotonic() + PATIENCE_SECONDS + extra_seconds
        while not (found := [fact for fact in self.facts if wanted(fact)]):
            if time.monotonic() > limit:
                raise StoryError(f"{what}: not within {PATIENCE_SECONDS + extra_seconds:.0f} s")
            self.look()
        return found[0]

    def look(self) -> None:
        fresh = [fact for records in self._consumer.poll(timeout_ms=100).values() for fact in map(_fact_of, records)]
        seen = [fact for fact in [*fresh, *self._taken()] if fact is not None]
        for fact in sorted(seen, key=lambda fact: fact.at):
            self.facts.append(fact)
            self._say(fact.line)

    def close(self) -> None:
        self._consumer.close()

    def _taken(self) -> list[Fact]:
        with self._books.open("rb") as file:
            file.seek(self._read)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read += len(whole)
        return [self._entry(msgspec.json.decode(line)) for line in whole.splitlines()]

    def _entry(self, taken: dict[str, Any]) -> Fact:
        channel, address = PROVIDERS[taken["provider"]], str(taken["address"])
        text = taken["message"].get("Body") or _wechat_text(taken["message"])
        words = f"{channel}: the provider has taken it for {address}: {text}"
        return Fact(taken["at"], self._users.get(address, "?"), "taken", words, taken | {"channel": channel})


def _wechat_text(message: dict[str, Any]) -> str:
    return ", ".join(f"{name} {field['value']}" for name, field in message["data"].items())


def _fact_of(record: Any) -> Fact | None:
    """Heartbeats are none."""
    value = msgspec.json.decode(record.value)
    if record.topic == DECISIONS:
        tries = value.get("attempt", 1)
        words = f"{value['outcome']} {value['channel'] or ''}, attempt {tries}, by {value['activity']}"
        return Fact(value["at"], value["user_id"], "decision", words, value)
    if value["type"] == "heartbeat":
        return None
    if value["type"] == "receipt":
        props = value["props"]
        why = f" ({props['reason']})" if props.get("reason") else ""
        return Fact(value["time"], value["user_id"], "receipt", f"{props['channel']}: {props['status']}{why}", value)
    return Fact(value["time"], value["user_id"], "event", f"{value['type']} {_told(value['props'])}", value)


def _told(props: dict[str, Any]) -> str:
    return ", ".join(f"{name} {text}" for name, text in props.items())
