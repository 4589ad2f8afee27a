"""A bridge as a process: everything opened, carried until told to stop, and closed in order."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from kairos.adapters.event_producer import KafkaEventProducer
from kairos.adapters.identity import RedisIdentity
from kairos.adapters.kafka_client import client_options
from kairos.adapters.kafka_topics import create_topics
from kairos.adapters.sources import open_source_store
from kairos.apps.access.counters import Counters
from kairos.apps.access.intake import DEAD_LETTERS, EVENTS_TOTAL, HELPS, Intake
from kairos.apps.access.registry import Registry
from kairos.apps.bridges.carrier import Carrier
from kairos.apps.bridges.feed import Feed
from kairos.apps.bridges.settings import Conf
from kairos.apps.gateway.settings import access_of

TALLY_SECONDS = 10.0

log = logging.getLogger(__name__)


def clock() -> int:
    return time.time_ns() // 1_000_000


def serve(conf: Conf, name: str, source: str, open_feed: Callable[[], Awaitable[Feed]]) -> None:
    """Until SIGTERM or SIGINT. `name`: kind and queue or topic. Raises SettingsError and SourceStoreError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("kafka", "asyncio", "alembic", "aiormq", "librdkafka"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # what matters of it is said here, once
    asyncio.run(_serve(conf, name, source, open_feed))


async def _serve(conf: Conf, name: str, source: str, open_feed: Callable[[], Awaitable[Feed]]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    counters = Counters(HELPS)
    async with _opened(conf, name, counters) as (registry, intake):
        beside = [asyncio.create_task(registry.watch()), asyncio.create_task(_tell(name, counters, stop))]
        log.info("%s: begins", name)
        await Carrier(name, source, registry, intake, clock, stop).run(open_feed)
        for task in beside:
            task.cancel()
        _say(name, counters)


@asynccontextmanager
async def _opened(conf: Conf, name: str, counters: Counters) -> AsyncIterator[tuple[Registry, Intake]]:
    """Raises SettingsError and SourceStoreError."""
    access = conf.access
    async with AsyncExitStack() as closing:
        producer = KafkaEventProducer(access.kafka)
        closing.push_async_callback(asyncio.to_thread, producer.close)
        identity = None
        if access.profiles.redis is not None:
            identity = RedisIdentity(access.profiles.redis)
            closing.push_async_callback(identity.close)
        store = open_source_store(access.sources, access_of(access.gateway, conf.place))
        options, count = client_options(access.kafka), access.kafka.create_topics
        letters = access.kafka.prefix + DEAD_LETTERS
        registry = Registry(store, lambda topics: create_topics(options, [*topics, letters], count), clock)
        await registry.refresh()
        yield registry, Intake(producer, identity, counters, clock, name=name, prefix=access.kafka.prefix)


async def _tell(name: str, counters: Counters, stop: asyncio.Event) -> None:
    """How much it was, when that has changed."""
    told = 0
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(TALLY_SECONDS):
                await stop.wait()
        if not stop.is_set() and counters.value(EVENTS_TOTAL) != told:
            told = counters.value(EVENTS_TOTAL)
            _say(name, counters)


def _say(name: str, counters: Counters) -> None:
    kinds = ("accepted", "refused", "waiting", "bound", "merged")
    counts = {kind: counters.value(EVENTS_TOTAL, outcome=kind) for kind in kinds}
    said = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
    log.info("%s: %s", name, said or "nothing came")
