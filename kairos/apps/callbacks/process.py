"""Callbacks as a process: one configuration, one port, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket

import uvicorn

from kairos.adapters.channels.providers import ChannelSettingsError, callback_parser
from kairos.adapters.database.connection import open_engine
from kairos.adapters.delivery.ledger_sql import SqlLedger
from kairos.adapters.kafka.posts import KafkaPosts
from kairos.adapters.settings.delivery import ChannelSettings, Conf
from kairos.adapters.settings.file import SettingsError
from kairos.apps.callbacks.receive import Callbacks, Parser
from kairos.apps.delivery.clock import WallClock
from kairos.apps.delivery.process import open_lists
from kairos.apps.listening import Server
from kairos.apps.process import begin, on_stop

GRACE_SECONDS = 10
AT_ONCE = 1_000
"""Connections; beyond that a provider is answered 503, and comes again."""

log = logging.getLogger(__name__)


def parsers_of(conf: Conf) -> dict[str, Parser]:
    """By channel, of those whose provider reports over HTTP. Raises SettingsError, also where nothing is to do."""
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
    if not found and conf.delivery.unsubscribe is None:
        raise SettingsError(f"{conf.place}: no channel has a provider that reports; docs/channels.md lists them")
    return found


def serve(conf: Conf, listener: socket.socket) -> None:
    """Until SIGTERM or SIGINT: what has come by then is answered. Raises SettingsError and DatabaseError."""
    begin(part="callbacks")
    parsers, kafka, links = parsers_of(conf), conf.need_kafka(), conf.links()
    engine = open_engine(conf.delivery.store)
    receipts = KafkaPosts(kafka, kafka.prefix, "kairos-callbacks")
    callbacks = Callbacks(parsers, SqlLedger(engine), receipts, open_lists(conf), WallClock(), links)
    try:
        paths = [f"/callbacks/{name}" for name in parsers] + (["/unsubscribe"] if links is not None else [])
        asyncio.run(_serve(callbacks, listener, paths))
    finally:
        callbacks.close()
        receipts.close()
        engine.dispose()


async def _serve(callbacks: Callbacks, listener: socket.socket, paths: list[str]) -> None:
    server = Server(
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
    on_stop(server.stop)
    host, port = listener.getsockname()[:2]
    log.info("listening on %s, port %d, for %s", host, port, ", ".join(paths))
    await server.serve([listener])
    log.info("stopped: %s", callbacks.summary())
