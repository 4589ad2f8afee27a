"""A replay into real Kafka keeps the contract of the event topics."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from kairos.adapters.kafka.topics import KafkaUnreachableError
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.apps.commands.operation.replay import app
from kairos.apps.stack import Stack
from kairos.engine.event import Event, decode
from kairos.engine.topics import HEARTBEAT
from kairos.usecases.control.rights import Actor
from kairos.usecases.operation.replay import replay
from tests.stack.job.test_heartbeat import read_until

pytestmark = pytest.mark.stack
ANN: dict[str, Any] = {"actor": Actor("ann"), "log": None, "file": "events.jsonl"}

EVENTS = [Event(f"e{n}", "view", n * 60_000, "", {"n": n}, f"u{n % 7}") for n in range(500)]


def test_key_timestamp_and_order(stack: Stack) -> None:
    source = f"replay-{uuid.uuid4().hex[:8]}"
    told: list[int] = []
    replay(EVENTS, 1e9, KafkaAddress(stack.settings.kafka), source, told.append, **ANN)
    assert told == list(range(1, 501))

    def events(found: dict[int, list]) -> list:
        return [record for records in found.values() for record in records if record.value != HEARTBEAT]

    found = events(
        read_until(stack.settings.kafka, f"events.{source}", 2, lambda found: len(events(found)) == len(EVENTS))
    )
    order = defaultdict(list)
    for record in found:
        event = decode(record.value)
        assert (record.key.decode(), record.timestamp, event.source) == (event.user_id, event.time, source)
        assert event.time <= time.time() * 1000
        order[event.user_id].append(event.props["n"])
    assert order == {f"u{user}": list(range(user, 500, 7)) for user in range(7)}


def test_no_kafka_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(KafkaUnreachableError, match=r"127\.0\.0\.1:1\b"):
        replay(EVENTS, 1e9, KafkaAddress("127.0.0.1:1"), "x", lambda sent: None, **ANN)


def test_the_command_leaves_out_what_is_no_event(stack: Stack, tmp_path: Path) -> None:
    source = f"replay-{uuid.uuid4().hex[:8]}"
    line = {"id": "1", "type": "view", "user_id": "u1", "time": 1_763_778_000_000, "source": source, "props": {}}
    file = tmp_path / "events.jsonl"
    file.write_bytes(msgspec.json.encode(line) + b"\n{broken\n")

    done = CliRunner().invoke(app, [str(file), "--kafka", stack.settings.kafka, "--speed", "3600x"])

    assert done.exit_code == 0, done.output
    assert f"{file}:2:" in done.stderr
    assert "1 events sent" in done.stderr


@pytest.mark.parametrize("speed", ["fast", "0", "-1x", "nan", "inf"])
def test_a_speed_that_is_none_is_refused(speed: str) -> None:
    done = CliRunner().invoke(app, ["--speed", speed])
    assert done.exit_code == 2
    assert "is not a speed" in done.stderr
