"""One channel's worker as a process: everything opened, run until told to stop, and closed in order."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from kairos.adapters.channels.channel import Channel
from kairos.adapters.delivery_controls import Controls
from kairos.adapters.delivery_database import DatabaseError, create_tables, open_engine
from kairos.adapters.kafka_client import KafkaAddress, client_options
from kairos.adapters.kafka_posts import KafkaAwayError, KafkaPosts
from kairos.adapters.kafka_topics import KafkaUnreachableError, create_topics
from kairos.adapters.ledger import LedgerAwayError
from kairos.adapters.lists import FileLists, Lists, RedisLists
from kairos.adapters.mailbox_kafka import KafkaMailbox
from kairos.adapters.profiles import connect
from kairos.adapters.rule_store import open_rule_store
from kairos.adapters.settings_file import SettingsError
from kairos.adapters.sql_ledger import SqlLedger
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.clock import WallClock
from kairos.apps.delivery.content import Templates
from kairos.apps.delivery.gate import Gate
from kairos.apps.delivery.governor import Governor
from kairos.apps.delivery.records import DEAD_LETTERS, DELIVERIES, RECEIPTS
from kairos.apps.delivery.settings import Conf
from kairos.apps.delivery.tally import Tally
from kairos.apps.delivery.tools import Tools
from kairos.apps.delivery.waiting_lists import WaitingLists
from kairos.apps.delivery.worker import Worker
from kairos.apps.native.settings import data_folder

GRACE_MS = 5_000
"""How long beyond the time-out of a call a worker that stops waits for what is under way."""

log = logging.getLogger(__name__)


def serve(conf: Conf, channel: str) -> int:
    """Until SIGTERM or SIGINT. 0: everything under way came to its end; 1: it did not in time.

    Raises SettingsError and DatabaseError for what no waiting mends.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("kafka", "librdkafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it is said here, once
    return asyncio.run(_Process(conf, channel).run())


class _Process:
    def __init__(self, conf: Conf, channel: str) -> None:
        self._conf, self._channel = conf, channel
        self._settings = conf.channel(channel)
        self._clock = WallClock()
        self._engine = open_engine(conf.delivery.store)
        self._kafka = kafka_of(conf)
        self._options = client_options(self._kafka)
        self._parent = os.getppid()
        self.name = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"

    async def run(self) -> int:
        self._stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        provider = self._conf.provider(self._channel)
        content = Templates(open_rule_store(self._conf.rules.store))
        try:
            if await self._ready(content):
                return await self._work(provider, content)
            return 0
        finally:
            await provider.close()
            self._engine.dispose()

    async def _ready(self, content: Templates) -> bool:
        """Waits for the database, Kafka and a first release. False: told to stop before."""
        return (
            await self._until("the ledger", lambda: create_tables(self._engine), DatabaseError)
            and await self._until("Kafka", self._create_topics, KafkaUnreachableError)
            and await self._until_release(content)
        )

    def _create_topics(self) -> None:
        if self._kafka.create_topics:
            names = [DELIVERIES + self._channel, DEAD_LETTERS + self._channel, RECEIPTS]
            create_topics(self._options, [self._kafka.prefix + name for name in names], self._kafka.create_topics)

    async def _until(self, what: str, attempt: Callable[[], object], away: type[Exception]) -> bool:
        told = False
        while not self._stop.is_set():
            try:
                await asyncio.to_thread(attempt)
                return True
            except away as error:
                if not told:
                    log.warning("%s: waiting for %s: %s", self._channel, what, error)
                told = True
                await self._pause(1.0)
        return False

    async def _until_release(self, content: Templates) -> bool:
        await content.refresh()
        if not content.number:
            log.warning("%s: waiting for a release in %s", self._channel, self._conf.rules.store)
        while not content.number and not self._stop.is_set():
            await self._pause(1.0)
            await content.refresh()
        return not self._stop.is_set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _work(self, provider: Channel, content: Templates) -> int:
        gate = Gate(self._clock, self._settings.concurrency)
        governor = Governor(Controls(self._engine), gate, self._channel, self.name, self._clock)
        producer = KafkaPosts(self._kafka, self._kafka.prefix, f"kairos-deliver-{self._channel}")
        tools = Tools(
            channel=self._channel,
            worker=self.name,
            policy=self._settings.policy(self._channel),
            clock=self._clock,
            gate=gate,
            ledger=Batches("ledger", SqlLedger(self._engine).apply, LedgerAwayError, self._clock),
            posts=Batches("posts", producer.write, KafkaAwayError, self._clock),
            provider=provider,
            content=content,
            lists=WaitingLists(open_lists(self._conf), self._clock),
            pauses=governor,
            chance=Random(self.name),
        )
        topic = self._kafka.prefix + DELIVERIES + self._channel
        group = f"{self._kafka.prefix}kairos-deliver-{self._channel}"
        mailbox = KafkaMailbox(self._kafka, topic, group, self._settings.room)
        worker = Worker(tools, mailbox)
        tally = Tally(self._channel, tools.counters, lambda: (worker.in_hand, mailbox.lag))
        mailbox.start(worker.give_back)
        log.info("%s: worker %s at work, release %d", self._channel, self.name, content.number)
        running = asyncio.create_task(worker.run())
        while not self._stop.is_set() and not running.done():
            await self._second(governor, gate, content, tally)
        status = await self._end(worker, running, mailbox, tools)
        await governor.leave()
        await asyncio.to_thread(producer.close)
        tally.tell(last=True)
        return status

    async def _second(self, governor: Governor, gate: Gate, content: Templates, tally: Tally) -> None:
        await governor.look()
        gate.sweep()
        await content.refresh()
        tally.tick()
        if os.getppid() != self._parent and "KAIROS_SUPERVISED" in os.environ:
            log.warning("%s: the process that started this worker is gone", self._channel)
            self._stop.set()
        await self._pause(1.0)

    async def _end(self, worker: Worker, running: asyncio.Task[None], mailbox: KafkaMailbox, tools: Tools) -> int:
        """Takes nothing new, gives back what waits, lets what is under way come to its end."""
        log.info("%s: stopping", self._channel)
        mailbox.stop()
        worker.give_back()
        _, late = await asyncio.wait({running}, timeout=(self._settings.timeout + GRACE_MS) / 1000)
        lost = 0
        if late:
            running.cancel()
            lost = await worker.abandon()
            log.error("%s: %d under way did not end in time; they are read again", self._channel, lost)
        await mailbox.close()
        tools.ledger.close()
        tools.posts.close()
        tools.gate.close()
        return 1 if lost else 0


def kafka_of(conf: Conf) -> KafkaAddress:
    """Raises SettingsError."""
    if conf.kafka is None:
        raise SettingsError(f"{conf.place}: without a section 'kafka' there is nothing to deliver from")
    return conf.kafka


def open_lists(conf: Conf) -> Lists:
    if conf.profiles.redis:
        return RedisLists(connect(conf.profiles.redis))
    file = conf.delivery.lists
    return FileLists(data_folder() / "delivery-lists.jsonl" if file is None else Path(file))
