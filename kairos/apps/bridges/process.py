"""A bridge as a process: everything opened, carried until told to stop, and closed in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.producer import KafkaEventProducer
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.metrics.declared import ACCESS, ACCESS_EVENTS, BRIDGE, CARRYING, TRACES
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.profiles.identity import RedisIdentity
from kairos.adapters.settings.bridge import Conf
from kairos.adapters.settings.gateway import access_of
from kairos.adapters.sources.port import open_source_store
from kairos.apps.bridges.carrier import Carrier
from kairos.apps.bridges.feed import Feed
from kairos.apps.process import begin, on_stop
from kairos.apps.status.health import Health
from kairos.apps.status.server import serving
from kairos.apps.traces import traced_events
from kairos.engine.topics import DEAD_LETTERS
from kairos.usecases.intake.intake import Intake
from kairos.usecases.intake.registry import Registry

TALLY_SECONDS = 10.0

log = logging.getLogger(__name__)


def clock() -> int:
    return time.time_ns() // 1_000_000


Open = Callable[[], Awaitable[Feed]]


def serve(conf: Conf, name: str, source: str, open_feed: Open, status: str | None = None) -> None:
    """Until SIGTERM or SIGINT. `name`: kind and queue or topic. `status`: where it tells of itself.

    Raises SettingsError and SourceStoreError.
    """
    begin(part="bridge")
    metrics, health = Metrics([*ACCESS, *BRIDGE, *TRACES]), Health()
    metrics.ask(CARRYING, lambda: health.hindrance is None)
    with serving(status, metrics, health):
        asyncio.run(_serve(conf, name, source, open_feed, metrics, health))


async def _serve(conf: Conf, name: str, source: str, open_feed: Open, metrics: Metrics, health: Health) -> None:
    stop = asyncio.Event()
    on_stop(stop.set)
    async with _opened(conf, name, metrics) as (registry, intake):
        beside = [asyncio.create_task(registry.watch()), asyncio.create_task(_tell(name, metrics, stop))]
        log.info("%s: begins", name)
        await Carrier(name, source, registry, intake, clock, stop, health=health).run(open_feed)
        for task in beside:
            task.cancel()
        _say(name, metrics)


@asynccontextmanager
async def _opened(conf: Conf, name: str, metrics: Metrics) -> AsyncIterator[tuple[Registry, Intake]]:
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
        published = traced_events("bridge", metrics, clock, closing)
        yield registry, Intake(producer, identity, metrics, clock, name, access.kafka.prefix, published)


async def _tell(name: str, metrics: Metrics, stop: asyncio.Event) -> None:
    """How much it was, when that has changed."""
    told = 0.0
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(TALLY_SECONDS):
                await stop.wait()
        if not stop.is_set() and metrics.value(ACCESS_EVENTS) != told:
            told = metrics.value(ACCESS_EVENTS)
            _say(name, metrics)


def _say(name: str, metrics: Metrics) -> None:
    kinds = ("accepted", "refused", "waiting", "bound", "merged")
    counts = {kind: metrics.value(ACCESS_EVENTS, outcome=kind) for kind in kinds}
    said = ", ".join(f"{count:,.0f} {kind}" for kind, count in counts.items() if count)
    log.info("%s: %s", name, said or "nothing came")
