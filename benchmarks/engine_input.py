"""Rules and events of benchmarks/engine.py: for us in YAML, for the peers as data, the same events for all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
from confluent_kafka import Producer

from benchmarks.peers.handwritten import Rule
from kairos.adapters.kafka_topics import create_topics

START = 1_763_778_000_000
TYPES = 33
MINUTE = 60_000
EVENTS_A_USER = 12
SPAN = 60 * MINUTE
TOPIC = "past.shop"


def rules_of(count: int) -> list[Rule]:
    """The types in groups, and three rules for each group, so that an event is the first step of three (of one, where
    there is one rule): sequences, and every second an absence."""
    groups = max(1, count // 3)
    types = [[f"t{number}" for number in range(group, TYPES, groups)] for group in range(groups)]
    return [
        Rule(
            name=f"rule_{number}",
            first=types[number // 3 % groups],
            second=types[(number // 3 + 1) % groups],
            least=280 + number % 20,
            within=10 * MINUTE,
            absent=number % 2 == 1,
        )
        for number in range(count)
    ]


def write_rules(folder: Path, rules: list[Rule]) -> Path:
    place = folder / "activities" / "bench"
    place.mkdir(parents=True)
    for rule in rules:
        first, second = (f"[{', '.join(types)}]" for types in (rule.first, rule.second))
        last = f"absent: {second}" if rule.absent else f"event: {second}"
        pattern = f"[{{event: {first}, as: a, where: amount >= {rule.least}}}, {{{last}, as: b}}]"
        trigger = f"{{pattern: {pattern}, within: {rule.within // MINUTE}m}}"
        (place / f"{rule.name}.yaml").write_text(f"activity: {rule.name}\nstate: live\ntrigger: {trigger}\n")
    return folder


def lines_of(count: int) -> Iterator[bytes]:
    """An hour of events in order, twelve of each user."""
    chance = random.Random(7)
    users = max(1, count // EVENTS_A_USER)
    for number in range(count):
        kind, amount = f"t{chance.randrange(TYPES)}", chance.randrange(300)
        yield line(f"e{number}", kind, f"u{chance.randrange(users)}", START + number * SPAN // count, amount)


def line(name: str, kind: str, user: str, time: int, amount: int) -> bytes:
    props = {"order_id": f"o{name}", "amount": amount, "city": "sz"}
    event = {"id": name, "type": kind, "user_id": user, "time": time, "source": "shop", "props": props}
    return msgspec.json.encode(event)


def produce(bootstrap: str, lines: list[bytes]) -> int:
    """One partition, so that all is in order; then one event of each user from an hour later, which no rule reads, but
    which shows those who have no timers what is due. How many there are altogether."""
    create_topics(bootstrap, [TOPIC], 1)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    events = [msgspec.json.decode(text) for text in lines]
    for text, event in zip(lines, events, strict=True):
        producer.produce(TOPIC, text, event["user_id"], timestamp=event["time"])
        producer.poll(0)
    users = sorted({event["user_id"] for event in events})
    for user in users:
        producer.produce(TOPIC, line(f"end-{user}", "end", user, START + 2 * SPAN, 0), user, timestamp=START + 2 * SPAN)
        producer.poll(0)
    producer.flush()
    return len(lines) + len(users)
