"""The producer around librdkafka's, whose answers come from a thread; here it says what the test wants."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from kairos.adapters.kafka.producer import KafkaEventProducer, NotTakenError, Record
from kairos.adapters.settings.file import SettingsError
from kairos.adapters.settings.kafka import KafkaAddress

RECORD = Record("events.shop", b"u1", b"{}", 5)
FATAL = KafkaError(KafkaError._FATAL, "out of sequence", fatal=True)
TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large")
TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT, "timed out")


class Library:
    """librdkafka's producer: `answers` are what becomes of records, in turn; None: taken. It `holds` them till then."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.produced: list[tuple[Any, ...]] = []
        self._told: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def produce(self, topic: str, value: bytes, key: bytes, timestamp: int, on_delivery: Any) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        self.produced.append((topic, key, value, timestamp))
        self._told.put(lambda: on_delivery(answer, None))

    def poll(self, timeout: float) -> int:
        try:
            self._told.get(timeout=timeout or 0.001)()
        except queue.Empty:
            return 0
        return 1

    def flush(self, timeout: float) -> int:
        return 0

    def __len__(self) -> int:
        return self._told.qsize()


def play(*answers: Any, times: int = 1) -> tuple[list[Any], list[Library]]:
    """Publishes two records so many times: what became of each time, and the library's producers made for it."""
    made: list[Library] = []

    def make(options: dict[str, Any]) -> Any:
        assert options["acks"] == "all"
        assert options["enable.idempotence"] is True
        made.append(Library(list(answers) if not made else []))
        return made[-1]

    async def run() -> list[Any]:
        producer = KafkaEventProducer(KafkaAddress("b:1"), make=make)
        found: list[Any] = []
        for _ in range(times):
            try:
                found.append(await producer.publish([RECORD, RECORD]) or None)
            except NotTakenError as error:
                found.append(str(error))
        producer.close()
        return found

    return asyncio.run(run()), made


def test_taken_when_all_are() -> None:
    found, (library,) = play(None, None)
    assert found == [None]
    assert library.produced == [("events.shop", b"u1", b"{}", 5)] * 2


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((None, TIMED_OUT), "timed out"),
        ((TIMED_OUT, None), "timed out"),
        ((None, BufferError("full")), "waits for Kafka already"),
        ((None, KafkaException(TIMED_OUT)), "timed out"),
    ],
)
def test_not_taken_when_one_is_not(answers: tuple[Any, ...], words: str) -> None:
    (first, second), made = play(*answers, times=2)
    assert words in first
    assert second is None
    assert len(made) == 1


@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        ((None, KafkaException(TOO_LARGE), KafkaException(TOO_LARGE)), {1: "too large"}),  # as librdkafka says itself
        ((TOO_LARGE, None, TOO_LARGE), {0: "too large"}),
        ((TOO_LARGE, TOO_LARGE, None, TOO_LARGE), {1: "too large"}),  # the first only shared the other's batch
        ((TOO_LARGE, TOO_LARGE, None, None), {}),
    ],
)
def test_what_kafka_never_takes_holds_up_nothing_else(answers: tuple[Any, ...], refused: dict[int, str]) -> None:
    (found,), (library,) = play(*answers)
    assert (found or {}) == refused
    assert not library.answers


@pytest.mark.parametrize("answers", [(None, FATAL), (KafkaException(FATAL),)])
def test_after_a_fatal_error_a_new_producer_goes_on(answers: tuple[Any, ...]) -> None:
    found, made = play(*answers, times=3)
    assert "out of sequence" in found[0]
    assert found[1:] == [None, None]
    assert [len(library.produced) for library in made][1:] == [4]


def test_security_options_are_handed_on_or_refused() -> None:
    seen: dict[str, Any] = {}

    def make(options: dict[str, Any]) -> Any:
        seen.update(options)
        return Library([])

    properties = {
        "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "ssl.truststore.location": "/ca.pem",
        "ssl.truststore.type": "PEM", "sasl.jaas.config": 'x required username="me" password="pw";',
    }  # fmt: skip
    KafkaEventProducer(KafkaAddress("b:1", properties=properties), make=make).close()
    expected = {
        "bootstrap.servers": "b:1", "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
        "ssl.ca.location": "/ca.pem", "sasl.username": "me", "sasl.password": "pw",
    }  # fmt: skip
    assert expected.items() <= seen.items()
    with pytest.raises(SettingsError, match="cannot be honoured"):
        KafkaEventProducer(KafkaAddress("b:1", properties={"ssl.cipher.suites": "x"}), make=make)
