"""The gateway as a process: everything opened, served until told to stop, and closed in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn

from kairos.adapters.event_producer import KafkaEventProducer
from kairos.adapters.identity import RedisIdentity
from kairos.adapters.kafka_client import client_options
from kairos.adapters.kafka_topics import create_topics
from kairos.adapters.sources import open_source_store
from kairos.adapters.sources_seen import MemorySeen, RedisSeen, Seen
from kairos.apps import heartbeat
from kairos.apps.access.counters import Counters
from kairos.apps.access.intake import DEAD_LETTERS, Intake
from kairos.apps.access.registry import Registry
from kairos.apps.gateway.body import Room
from kairos.apps.gateway.server import ALL_HELPS, Gateway
from kairos.apps.gateway.settings import Conf, access_of
from kairos.apps.gateway.taking import Parts
from kairos.apps.listening import listen

STOP_SECONDS = 15
"""How long requests under way may take once the gateway is told to stop."""
BACKLOG = 512

log = logging.getLogger(__name__)


def clock() -> int:
    return time.time_ns() // 1_000_000


def serve(conf: Conf, place: str, *, beats: bool, ready: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. `ready` hears the address. Raises SettingsError, SourceStoreError, or OSError for a
    port that is taken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("kafka", "librdkafka", "asyncio", "uvicorn", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it is said here, once
    asyncio.run(_serve(conf, place, beats, ready))


async def _serve(conf: Conf, place: str, beats: bool, ready: Callable[[str], None]) -> None:
    listener = listen(conf.gateway.host, conf.gateway.port, BACKLOG)
    async with opened(conf, place) as parts:
        watching = asyncio.create_task(parts.registry.watch())
        server = _Server(_configuration(conf, parts))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        with _beating(conf.kafka.bootstrap) if beats else contextlib.nullcontext():
            host, port = listener.getsockname()[:2]
            async with _grpc(conf, parts) as grpc:
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
        counters = Counters(ALL_HELPS)
        identity, seen = None, _seen(conf)
        if conf.profiles.redis is not None:
            identity = RedisIdentity(conf.profiles.redis)
            closing.push_async_callback(identity.close)
        if isinstance(seen, RedisSeen):
            closing.push_async_callback(seen.close)
        options, count = client_options(conf.kafka), conf.kafka.create_topics
        letters = conf.kafka.prefix + DEAD_LETTERS
        registry = Registry(store, lambda topics: create_topics(options, [*topics, letters], count), clock)
        await registry.refresh()
        intake = Intake(producer, identity, counters, clock, prefix=conf.kafka.prefix)
        room = Room(conf.gateway.memory)
        yield Parts(registry, intake, producer, seen, counters, room, clock, conf.gateway.max_body)


@asynccontextmanager
async def _grpc(conf: Conf, parts: Parts) -> AsyncIterator[str | None]:
    """Yields the address; None: the configuration names no port. Raises SettingsError."""
    if conf.gateway.grpc_port is None:
        yield None
        return
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # read at its import: it tells of every mistake of a client
    from kairos.apps.grpc.server import serving

    gateway = conf.gateway
    async with serving(parts, gateway.host, conf.gateway.grpc_port, gateway.connections, STOP_SECONDS) as address:
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


class _Server(uvicorn.Server):
    """uvicorn's own handler would raise the signal once more, before anything here is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


@contextlib.contextmanager
def _beating(bootstrap: str) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=heartbeat.run, args=(bootstrap, stop, lambda _: None), name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
