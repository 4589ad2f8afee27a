"""Callbacks as a process: one configuration, one port, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from kairos.adapters.channels.providers import ChannelSettingsError, callback_parser
from kairos.adapters.delivery_database import open_engine
from kairos.adapters.kafka_posts import KafkaPosts
from kairos.adapters.settings_file import SettingsError
from kairos.adapters.sql_ledger import SqlLedger
from kairos.apps.callbacks import Callbacks, Parser
from kairos.apps.delivery.clock import WallClock
from kairos.apps.delivery.process import kafka_of, open_lists
from kairos.apps.delivery.settings import ChannelSettings, Conf

GRACE_SECONDS = 10
AT_ONCE = 1_000
"""Connections; beyond that a provider is answered 503, and comes again."""

log = logging.getLogger(__name__)


def parsers_of(conf: Conf) -> dict[str, Parser]:
    """By channel, of those whose provider reports over HTTP. Raises SettingsError, also where there is none."""
    found = {}
    for channel, options in conf.delivery.channels.items():
        own = {key: value for key, value in options.items() if key not in ChannelSettings.__struct_fields__}
        place = f"{conf.place}: delivery.channels.{channel}"
        try:
            parser = callback_parser(conf.channel(channel).provider, own, place=place)
        except ChannelSettingsError as error:
            raise SettingsError(str(error)) from None
        if parser is not None:
            found[channel] = parser
    if not found:
        raise SettingsError(f"{conf.place}: no channel has a provider that reports; docs/channels.md lists them")
    return found


def serve(conf: Conf, listener: socket.socket) -> None:
    """Until SIGTERM or SIGINT: what has come by then is answered. Raises SettingsError and DatabaseError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("kafka", "librdkafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of it is said here, once
    parsers, kafka = parsers_of(conf), kafka_of(conf)
    engine = open_engine(conf.delivery.store)
    receipts = KafkaPosts(kafka, kafka.prefix, "kairos-callbacks")
    callbacks = Callbacks(parsers, SqlLedger(engine), receipts, open_lists(conf), WallClock())
    try:
        asyncio.run(_serve(callbacks, listener, list(parsers)))
    finally:
        callbacks.close()
        receipts.close()
        engine.dispose()


async def _serve(callbacks: Callbacks, listener: socket.socket, channels: list[str]) -> None:
    server = _Server(
        uvicorn.Config(
            callbacks.app(),
            log_config=None,
            access_log=False,  # URLs hold tokens
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    host, port = listener.getsockname()[:2]
    log.info("listening on %s, port %d, for %s", host, port, ", ".join(f"/callbacks/{name}" for name in channels))
    await server.serve([listener])
    log.info(
        "stopped: %s", ", ".join(f"{name} {n}" for name, n in sorted(callbacks.counters.items())) or "nothing came"
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are handled above: uvicorn would raise them again at the end."""
        yield
