"""Kafka followed into a warehouse: live, and killed wherever it may be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from harness.job import eventually
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.stack import Stack
from kairos.usecases.warehouse.follow import HEARTBEAT
from tests.unit.warehouse.warehouse_kit import DAY, HOUR, NOON, decision, event, fill, receipt, rows

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

TABLES = {"events": "id, time_ms, props", "decisions": "occurrence, at_ms", "receipts": "occurrence, status, time_ms"}


class Topics:
    """Of one test alone."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.name = f"w{uuid.uuid4().hex[:8]}"
        self.conf = folder / "conf.yaml"
        rules = folder / "rules"
        rules.mkdir()
        (rules / "policy.yaml").write_text("timezone: UTC\n")
        settings = {
            "kafka": {
                "bootstrap": stack.settings.kafka,
                "prefix": f"{self.name}-",
                "events": rf"events\.{self.name}|{self.name}-receipts",
            },
            "rules": {"store": str(rules)},
            "warehouse": {"folder": str(folder / "w"), "group": self.name, "interval": "1s"},
        }
        self.conf.write_text(json.dumps(settings))
        names = (f"events.{self.name}", f"{self.name}-receipts", f"{self.name}-decisions")
        create_topics(stack.settings.kafka, names, 2)
        self._producer = KafkaProducer(bootstrap_servers=stack.settings.kafka)

    def send(self, events: Iterable[Any] = (), decisions: Iterable[Any] = (), receipts: Iterable[Any] = ()) -> None:
        for topic, documents in (
            (f"events.{self.name}", events),
            (f"{self.name}-decisions", decisions),
            (f"{self.name}-receipts", receipts),
        ):
            for document in documents:
                value = document if isinstance(document, bytes) else json.dumps(document).encode()
                key = b"" if isinstance(document, bytes) else document["user_id"].encode()
                self._producer.send(topic, value, key=key)
        self._producer.flush()


@pytest.fixture
def topics(stack: Stack, tmp_path: Path) -> Topics:
    return Topics(stack, tmp_path)


def part(number: int) -> dict[str, list[dict[str, Any]]]:
    """Some records of each kind; a third of them is in the next part, too, and one has been there before."""
    span = range(number * 20, number * 20 + 30)
    return {
        "events": [event(f"e{n}", NOON + n * HOUR, user_id=f"u{n % 7}") for n in span]
        + [event("e1", NOON + (5 - number) * DAY, user_id="u1", props={"n": number})],
        "decisions": [decision(NOON + n, occurrence=f"o{n}", user_id=f"u{n % 7}") for n in span],
        "receipts": [receipt(NOON + n, f"u{n % 7}", occurrence=f"o{n}") for n in span],
    }


@pytest.mark.slow
def test_killed_at_ten_points_nothing_is_lost_and_nothing_is_twice(topics: Topics, tmp_path: Path) -> None:
    def follower(last: int) -> subprocess.CompletedProcess[str]:
        script = Path(__file__).with_name("killed_follower.py")
        command = [sys.executable, str(script), str(topics.conf), str(last)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    killed = 0
    for number in range(10):
        topics.send(**part(number))
        done = follower(6 + 4 * number)
        assert done.returncode in (0, 9), done.stderr
        killed += done.returncode == 9
        fill(tmp_path / "expected", **part(number))
    assert killed >= 8
    assert follower(0).returncode == 0
    for table, columns in TABLES.items():
        assert rows(tmp_path / "w", table, columns) == rows(tmp_path / "expected", table, columns)


def test_live_until_it_is_told_to_stop(topics: Topics, tmp_path: Path) -> None:
    topics.send(events=[HEARTBEAT, b"{broken", event("a")], decisions=[decision()])
    command = [Path(sys.executable).with_name("kairos"), "warehouse", "load", "--follow", "--conf", topics.conf]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        await_rows(tmp_path / "w", [("a",)])
        topics.send(events=[event("b", NOON + DAY)], receipts=[receipt()])
        await_rows(tmp_path / "w", [("a",), ("b",)])
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert f"events.{topics.name}/" in said
    assert len(rows(tmp_path / "w", "decisions")) == len(rows(tmp_path / "w", "receipts")) == 1


def await_rows(warehouse: Path, expected: list[tuple[str]]) -> None:
    eventually(
        lambda: (warehouse / ".lock").exists() and rows(warehouse, "events", "id"), lambda found: found == expected
    )
