"""One channel's worker as a process: everything opened, run until told to stop, and closed in order."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from kairos.adapters.channels.channel import Channel
from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.errors import DatabaseAwayError, DatabaseError
from kairos.adapters.delivery.controls import Controls
from kairos.adapters.delivery.engine_lease import Leases
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.delivery.mailbox_kafka import KafkaMailbox
from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.posts import KafkaAwayError, KafkaPosts
from kairos.adapters.kafka.topics import KafkaUnreachableError, create_topics
from kairos.adapters.metrics.declared import DELIVERY, IN_HAND, LAG, TRACES
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.profiles.lists import FileLists, Lists, RedisLists
from kairos.adapters.profiles.redis import connect
from kairos.adapters.rules.store import open_rule_store
from kairos.adapters.settings.delivery import Conf
from kairos.adapters.traces.port import open_traces
from kairos.apps.delivery.batches import Batches
from kairos.apps.delivery.clock import WallClock
from kairos.apps.delivery.content import Templates, signed_link
from kairos.apps.delivery.fence import Fence
from kairos.apps.delivery.pace.agreement import Agreement
from kairos.apps.delivery.pace.governor import Governor
from kairos.apps.delivery.pace.turnstile import Turnstile
from kairos.apps.delivery.stopped import Stopped
from kairos.apps.delivery.tally import Tally
from kairos.apps.delivery.tools import Tools
from kairos.apps.delivery.traced import DeliveryTraces
from kairos.apps.delivery.waiting_lists import WaitingLists
from kairos.apps.delivery.worker import Worker
from kairos.apps.native.settings import data_folder
from kairos.apps.process import begin, on_stop
from kairos.apps.status.health import Health
from kairos.apps.status.server import serving
from kairos.engine.topics import RECEIPTS, deliveries_topic, letters_topic

GRACE_MS = 5_000
"""How long beyond the time-out of a call a worker that stops waits for what is under way."""

log = logging.getLogger(__name__)


def serve(conf: Conf, channel: str, status: str | None = None) -> int:
    """Until SIGTERM or SIGINT. 0: everything under way came to its end; 1: it did not in time.

    `status`: where it tells of itself. Raises SettingsError and DatabaseError for what no waiting mends.
    """
    begin(part=f"deliver-{channel}")
    process = _Process(conf, channel)
    with serving(status, process.metrics, process.health):
        return asyncio.run(process.run())


class _Process:
    def __init__(self, conf: Conf, channel: str) -> None:
        self._conf, self._channel = conf, channel
        self._settings = conf.channel(channel)
        self._clock = WallClock()
        self._engine = open_engine(conf.delivery.store)
        self._leases, self._fence = Leases(self._engine), Fence()
        self._kafka = conf.need_kafka()
        self._options = client_options(self._kafka)
        self._parent = os.getppid()
        self.metrics, self.health = Metrics([*DELIVERY, *TRACES]), Health()
        self._traces = open_traces(f"deliver-{channel}", self.metrics)
        self.name = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"

    async def run(self) -> int:
        self._stop = asyncio.Event()
        on_stop(self._stop.set)
        provider = self._conf.provider(self._channel)
        content = Templates(open_rule_store(self._conf.rules.store), signed_link(self._conf.links()))
        try:
            if await self._ready(content):
                return await self._work(provider, content)
            return 0
        finally:
            await provider.close()
            if self._traces is not None:
                await asyncio.to_thread(self._traces.close)
            self._engine.dispose()

    async def _ready(self, content: Templates) -> bool:
        """Waits for the database, Kafka and a first release. False: it was told to stop before."""
        return (
            await self._until("the ledger", lambda: create_tables(self._engine), DatabaseError)
            and await self._until("Kafka", self._create_topics, KafkaUnreachableError)
            and await self._until_release(content)
        )

    def _create_topics(self) -> None:
        if self._kafka.create_topics:
            names = [deliveries_topic(self._channel), letters_topic(self._channel), RECEIPTS]
            create_topics(self._options, [self._kafka.prefix + name for name in names], self._kafka.create_topics)

    async def _until(self, what: str, attempt: Callable[[], object], away: type[Exception]) -> bool:
        told = False
        while not self._stop.is_set():
            try:
                await asyncio.to_thread(attempt)
                return True
            except away as error:
                self.health.waits(f"{what}: {error}")
                if not told:
                    log.warning("%s: waiting for %s: %s", self._channel, what, error)
                told = True
                await self._pause(1.0)
        return False

    async def _until_release(self, content: Templates) -> bool:
        await content.refresh()
        if not content.number:
            self.health.waits(f"there is no release in {self._conf.rules.store}")
            log.warning("%s: waiting for a release in %s", self._channel, self._conf.rules.store)
        while not content.number and not self._stop.is_set():
            await self._pause(1.0)
            self.health.turn()
            await content.refresh()
        return not self._stop.is_set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _work(self, provider: Channel, content: Templates) -> int:
        gate = Turnstile(self._clock, self._settings.concurrency)
        stopped = Stopped(ActivityStates(Control(self._conf.rules.store)).read, self._clock)
        governor = Governor(Controls(self._engine), gate, self._channel, self.name, self._clock)
        await self._learn()
        await stopped.refresh()
        producer = KafkaPosts(self._kafka, self._kafka.prefix, f"kairos-deliver-{self._channel}")
        tools = Tools(
            channel=self._channel,
            worker=self.name,
            policy=self._settings.policy(self._channel),
            clock=self._clock,
            gate=gate,
            ledger=Batches("ledger", SqlLedger(self._engine).apply, DatabaseAwayError, self._clock),
            posts=Batches("posts", producer.write, KafkaAwayError, self._clock),
            provider=provider,
            content=content,
            lists=WaitingLists(open_lists(self._conf), self._clock),
            pauses=governor,
            chance=Random(self.name),
            agreement=Agreement(self._settings.agree),
            fence=self._fence,
            stopped=stopped,
            metrics=self.metrics,
            traces=DeliveryTraces(self._traces),
        )
        topic = self._kafka.prefix + deliveries_topic(self._channel)
        group = f"{self._kafka.prefix}kairos-deliver-{self._channel}"
        mailbox = KafkaMailbox(self._kafka, topic, group, self._settings.room)
        worker = Worker(tools, mailbox)
        tally = Tally(self._channel, self.metrics, lambda: (worker.in_hand, mailbox.lag))
        self.metrics.ask(IN_HAND, lambda: worker.in_hand, channel=self._channel)
        self.metrics.ask(LAG, lambda: float("nan") if mailbox.lag is None else mailbox.lag, channel=self._channel)
        mailbox.start(worker.give_back)
        self.health.works()
        log.info("%s: worker %s at work, release %d", self._channel, self.name, content.number)
        running = asyncio.create_task(worker.run())
        while not self._stop.is_set() and not running.done():
            await self._second(governor, gate, content, tally)
            await stopped.refresh()
            await self._learn()
        status = await self._end(worker, running, mailbox, tools)
        await governor.leave()
        await asyncio.to_thread(producer.close)
        tally.tell(last=True)
        return status

    async def _learn(self) -> None:
        """Asks which engine may decide. While the database is away, what was known counts."""
        with suppress(DatabaseAwayError):
            self._fence.learn(await asyncio.to_thread(self._leases.all))

    async def _second(self, governor: Governor, gate: Turnstile, content: Templates, tally: Tally) -> None:
        self.health.turn()
        await governor.look()
        gate.sweep()
        await content.refresh()
        tally.tick()
        if os.getppid() != self._parent and "KAIROS_SUPERVISED" in os.environ:
            log.warning("%s: the process that started this worker is gone", self._channel)
            self._stop.set()
        await self._pause(1.0)

    async def _end(self, worker: Worker, running: asyncio.Task[None], mailbox: KafkaMailbox, tools: Tools) -> int:
        """Ends the worker: takes nothing new, gives back what waits, and lets calls under way end."""
        log.info("%s: stopping", self._channel)
        self.health.waits("it is stopping")
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


def open_lists(conf: Conf) -> Lists:
    if conf.profiles.redis:
        return RedisLists(connect(conf.profiles.redis))
    file = conf.delivery.lists
    return FileLists(data_folder() / "delivery-lists.jsonl" if file is None else Path(file))
