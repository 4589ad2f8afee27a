"""Records into Kafka, for processes that may tell nobody "taken" before Kafka has said so.

librdkafka's producer, idempotent, with acknowledgement of all replicas. Its own retries end after `PATIENCE_MS`; what
is not acknowledged by then may be in Kafka or not, and whoever sent it sends it again. What Kafka would refuse each
time is told apart, and holds up nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from kairos.adapters.kafka.librdkafka import NEVER_TAKEN, producer_options
from kairos.adapters.settings.kafka import KafkaAddress

PATIENCE_MS = 10_000
POLL_SECONDS = 0.2
log = logging.getLogger(__name__)


class Record(NamedTuple):
    """`time`: the record's timestamp, epoch ms."""

    topic: str
    key: bytes | None
    value: bytes
    time: int


class NotTakenError(Exception):
    """Not all of the records are known to be in Kafka: the same again later is right."""


Refused = dict[int, str]
"""place among the records -> why Kafka will never take this one, whenever it is sent"""


class EventProducer(Protocol):
    async def publish(self, records: Sequence[Record]) -> Refused:
        """Returns when all are acknowledged but those that Kafka never takes. Raises NotTakenError; some may be in
        Kafka then."""
        ...

    async def check(self) -> None:
        """Raises NotTakenError when no broker answers."""
        ...


class KafkaEventProducer:
    """For one event loop; a helper thread hears Kafka's answers. Raises SettingsError for options it cannot honour."""

    def __init__(
        self,
        kafka: KafkaAddress,
        patience_ms: int = PATIENCE_MS,
        make: Callable[[dict[str, Any]], Producer] = Producer,
    ) -> None:
        self._options = producer_options(kafka, "kairos-access", patience_ms)
        self._patience = patience_ms / 1000
        self._make = make
        self._producer = make(self._options)
        self._retired: list[Producer] = []
        self._broken = False
        self._away = False
        self._stop = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="kafka-answers", daemon=True)
        self._listener.start()

    async def publish(self, records: Sequence[Record]) -> Refused:
        if not records:
            return {}
        try:
            refused = await self._publish(records)
            if len(records) > 1:  # a broker refuses a batch as a whole, for the sake of one in it
                refused = {n: why for n in refused for why in (await self._publish([records[n]])).values()}
        except NotTakenError as error:
            if not self._away:
                log.warning("%s", error)
            self._away = True
            raise
        if self._away:
            log.warning("Kafka takes records again")
        self._away = False
        return refused

    async def _publish(self, records: Sequence[Record]) -> Refused:
        if self._broken:
            self._renew()
        answers = _Answers(len(records))
        try:
            for n, record in enumerate(records):
                self._produce(record, partial(answers.hear, n))
        except BufferError:
            raise NotTakenError("too much waits for Kafka already") from None
        except KafkaException as error:
            raise NotTakenError(self._heard(error.args[0])) from None
        errors = await answers.all_in
        for said in errors.values():
            if said.fatal() or said.code() not in NEVER_TAKEN:
                raise NotTakenError(self._heard(said))
        return {n: said.str() for n, said in errors.items()}

    def _produce(self, record: Record, hear: Callable[[KafkaError | None, Any], None]) -> None:
        """Raises BufferError, and KafkaException unless it is about this record alone."""
        try:
            self._producer.produce(record.topic, record.value, record.key, timestamp=record.time, on_delivery=hear)
        except KafkaException as error:
            if error.args[0].code() not in NEVER_TAKEN:
                raise
            hear(error.args[0], None)

    async def check(self) -> None:
        try:
            await asyncio.to_thread(self._producer.list_topics, timeout=self._patience / 2)
        except KafkaException as error:
            raise NotTakenError(self._heard(error.args[0])) from None

    def close(self) -> None:
        """Waits for what is under way."""
        self._producer.flush(self._patience)
        self._stop.set()
        self._listener.join()

    def _listen(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(POLL_SECONDS)
            for old in [*self._retired]:
                old.poll(0)
                if not len(old):
                    self._retired.remove(old)

    def _heard(self, error: KafkaError) -> str:
        """After a fatal error librdkafka's producer takes nothing more, so the next batch gets a new one."""
        self._broken = self._broken or error.fatal()
        return f"Kafka has not taken it: {error.str()}"

    def _renew(self) -> None:
        log.warning("the producer to Kafka is broken and is made anew")
        self._retired.append(self._producer)  # it still owes answers
        self._producer, self._broken = self._make(self._options), False


class _Answers:
    """Counts a batch's acknowledgements. `all_in`: the errors among them, by the record's place."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._errors: dict[int, KafkaError] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self.all_in: asyncio.Future[dict[int, KafkaError]] = self._loop.create_future()

    def hear(self, place: int, error: KafkaError | None, _message: Any) -> None:
        """In the helper thread, or in the one that sends."""
        with self._lock:
            if error is not None:
                self._errors[place] = error
            self._missing -= 1
            last = not self._missing
        if last and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        if not self.all_in.done():  # whoever asked may have gone
            self.all_in.set_result(self._errors)
