"""Reading Kafka, and starting the process, against the broker that librdkafka brings along for tests."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from confluent_kafka import Producer

from harness.job import eventually
from kairos.adapters.alarms.kafka import Read, Reader
from kairos.adapters.alarms.said import SaidFile
from kairos.adapters.settings.kafka import KafkaAddress
from tests.conftest import free_ports
from tests.unit.alarm.process_kit import command


class Broker:
    """In this process; gone with it."""

    def __init__(self) -> None:
        self._producer = Producer({"bootstrap.servers": "its-own", "test.mock.num.brokers": 1, "log_level": 3})
        (broker,) = self._producer.list_topics(timeout=10).brokers.values()
        self.address = f"{broker.host}:{broker.port}"

    def send(self, topic: str, *documents: dict[str, Any]) -> None:
        for document in documents:
            self._producer.produce(topic, json.dumps(document).encode())
        assert self._producer.flush(10) == 0


@pytest.fixture
def broker() -> Broker:
    return Broker()


def read(reader: Reader, wanted: int) -> list[Read]:
    """So many records, and to the end."""
    found: list[Read] = []
    limit = time.monotonic() + 30
    while (len(found) < wanted or not reader.has_caught_up()) and time.monotonic() < limit:
        found += reader.take(0.1)
    return found


def test_a_reader_finds_its_topics_and_what_comes_into_them(broker: Broker) -> None:
    broker.send("a-decisions", {"n": 1})
    broker.send("b-decisions", {"n": 2})
    reader = Reader(KafkaAddress(broker.address, prefix="a-"), time.time_ns() // 1_000_000 + 60_000)
    try:
        reader.look()
        assert read(reader, 0) == [], "it is from before"
        assert reader.has_caught_up()
        broker.send("b-decisions", {"n": 3})
        broker.send("a-decisions", {"n": 4})
        assert read(reader, 1) == [Read("decisions", b'{"n": 4}')]
        broker.send("a-dead-letters.sms", {"n": 5})
        reader.look()
        assert not reader.has_caught_up(), "there is a new topic"
        read(reader, 0)
        broker.send("a-dead-letters.sms", {"n": 6})
        assert read(reader, 1) == [Read("dead-letters.sms", b'{"n": 6}')]
    finally:
        reader.close()


def test_a_rule_store_that_does_not_answer_is_waited_for(broker: Broker, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    words = [*command(tmp_path, KafkaAddress(broker.address)), "--status", f"127.0.0.1:{port}"]
    conf = tmp_path / "conf.yaml"
    settings = json.loads(conf.read_text())
    conf.write_text(json.dumps(settings | {"rules": {"store": "mysql+pymysql://kairos:kairos@127.0.0.1:1/kairos"}}))

    def hindrance() -> str:
        try:
            urlopen(f"http://127.0.0.1:{port}/ready", timeout=5).close()
        except HTTPError as error:
            return error.read().decode()
        except OSError:
            assert process.poll() is None
        return ""

    with subprocess.Popen(words) as process:
        assert "does not answer" in eventually(hindrance, lambda said: "rule store" in said)
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_of_two_processes_one_tells(broker: Broker, tmp_path: Path) -> None:
    with SaidFile(tmp_path / "said.json").held():
        done = subprocess.run(
            command(tmp_path, KafkaAddress(broker.address)), capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2
    assert "said.json: another process tells alarms by it; two would tell them twice" in done.stderr
