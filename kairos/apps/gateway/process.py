"""The gateway as a process: everything opened, served until told to stop, and closed in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import uvicorn

from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.producer import KafkaEventProducer
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.metrics.declared import ACCESS, TRACES
from kairos.adapters.metrics.declared import GATEWAY as GATEWAY_METRICS
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.profiles.identity import RedisIdentity
from kairos.adapters.settings.gateway import Conf, access_of
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.adapters.sources.port import open_source_store
from kairos.adapters.sources.seen import MemorySeen, RedisSeen, Seen
from kairos.apps import heartbeat
from kairos.apps.gateway.body import rooms
from kairos.apps.gateway.server import Gateway
from kairos.apps.gateway.taking import Parts
from kairos.apps.listening import Server, listen
from kairos.apps.process import begin, on_stop
from kairos.apps.traces import traced_events
from kairos.engine.topics import DEAD_LETTERS
from kairos.usecases.intake.intake import Intake
from kairos.usecases.intake.registry import Registry
from kairos.usecases.intake.shedding import Shedding
from kairos.usecases.intake.turns import Turns

STOP_SECONDS = 15
"""How long requests under way may take once the gateway is told to stop."""
BACKLOG = 512

Serving = Callable[[Parts, str, int, int, float], AbstractAsyncContextManager[str]]
"""`kairos.apps.grpc.server.serving`, handed in: gRPC is another door to the same parts."""

log = logging.getLogger(__name__)


def clock() -> int:
    return time.time_ns() // 1_000_000


def ticks() -> int:
    return time.monotonic_ns() // 1_000_000


def serve(conf: Conf, place: str, serving: Serving | None, *, beats: bool, ready: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. `serving`: over gRPC too, at `gateway.grpc_port`. `ready` hears each address.

    Raises SettingsError, SourceStoreError, or OSError for a port that is taken.
    """
    begin(part="gateway")
    asyncio.run(_serve(conf, place, serving, beats, ready))


async def _serve(conf: Conf, place: str, serving: Serving | None, beats: bool, ready: Callable[[str], None]) -> None:
    async with opened(conf, place) as parts:
        listener = listen(conf.gateway.host, conf.gateway.port, BACKLOG)
        watching = asyncio.create_task(parts.registry.watch())
        server = Server(_configuration(conf, parts))
        on_stop(server.stop)
        with _beating(conf.kafka) if beats else contextlib.nullcontext():
            host, port = listener.getsockname()[:2]
            async with _grpc(conf, parts, serving) as grpc:
                ready(f"http://{host}:{port}")
                if grpc is not None:
                    ready(grpc)
                await server.serve([listener])
        watching.cancel()


@asynccontextmanager
async def opened(conf: Conf, place: str) -> AsyncIterator[Parts]:
    """The parts, closed at the end. Raises SettingsError and SourceStoreError."""
    async with AsyncExitStack() as closing:
        store = open_source_store(conf.sources, access_of(conf.gateway, place))
        producer = KafkaEventProducer(conf.kafka)
        closing.push_async_callback(asyncio.to_thread, producer.close)
        metrics = Metrics([*ACCESS, *GATEWAY_METRICS, *TRACES])
        metrics.watch_process()
        identity, seen = None, _seen(conf)
        if conf.profiles.redis is not None:
            identity = RedisIdentity(conf.profiles.redis)
            closing.push_async_callback(identity.close)
        if isinstance(seen, RedisSeen):
            closing.push_async_callback(seen.close)
        options, count = client_options(conf.kafka), conf.kafka.create_topics
        letters = conf.kafka.prefix + DEAD_LETTERS
        registry = Registry(store, lambda topics: create_topics(options, [*topics, letters], count), ticks)
        await registry.refresh()
        published = traced_events("gateway", metrics, clock, closing)
        intake = Intake(producer, identity, metrics, clock, prefix=conf.kafka.prefix, published=published)
        room, keyless = rooms(conf.gateway.memory, conf.gateway.max_body)
        shedding, turns = Shedding(conf.gateway.slow, ticks()), Turns(conf.gateway.slow, ticks)
        most = conf.gateway.max_body
        yield Parts(registry, intake, producer, seen, metrics, room, keyless, clock, ticks, most, shedding, turns)


@asynccontextmanager
async def _grpc(conf: Conf, parts: Parts, serving: Serving | None) -> AsyncIterator[str | None]:
    """Yields the address; None: the configuration names no port. Raises SettingsError."""
    gateway = conf.gateway
    if serving is None or gateway.grpc_port is None:
        yield None
        return
    async with serving(parts, gateway.host, gateway.grpc_port, gateway.connections, STOP_SECONDS) as address:
        yield address


def _seen(conf: Conf) -> Seen:
    return MemorySeen(clock) if conf.profiles.redis is None else RedisSeen(conf.profiles.redis)


def _configuration(conf: Conf, parts: Parts) -> uvicorn.Config:
    """h11 rather than httptools: it bounds the head of a request."""
    return uvicorn.Config(
        Gateway(parts).app(),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=conf.gateway.connections,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


@contextlib.contextmanager
def _beating(kafka: KafkaAddress) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=heartbeat.run, args=(kafka, stop, heartbeat.Unwatched()), name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
