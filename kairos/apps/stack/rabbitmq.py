"""RabbitMQ: one node by itself, without Erlang's distribution."""

from __future__ import annotations

import asyncio
import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

import aiormq

from kairos.apps.native.programs import program
from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import ServiceError
from kairos.apps.stack.settings import DATABASE, StackSettings

DEBIAN_SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""What Debian has on the PATH is a wrapper that changes to another user and folder."""

EPMD = """\
-module(kairos_epmd).
-export([start_link/0, register_node/2, register_node/3, port_please/2, port_please/3, names/1,
         address_please/3, listen_port_please/2]).
start_link() -> ignore.
register_node(_, _) -> {ok, 1}.
register_node(_, _, _) -> {ok, 1}.
port_please(_, _) -> {port, 1, 5}.
port_please(_, _, _) -> {port, 1, 5}.
names(_) -> {ok, []}.
address_please(_, _, _) -> {error, nxdomain}.
listen_port_please(_, _) -> {ok, 0}.
"""
"""Stands in for Erlang's directory of nodes. The real one is a daemon of the whole machine, listens on all addresses
and outlives whoever started it; a node that nobody joins needs none."""


class RabbitMqService:
    name = "rabbitmq"

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self._url = settings.rabbitmq_url
        self.address = f"amqp://{settings.host}:{settings.rabbitmq_port}/"
        self.ports: Sequence[int] = (settings.rabbitmq_port,)
        self.folder: Path = settings.folder / self.name

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {self._settings.host}:{self._settings.rabbitmq_port}\n"
            f"default_user = {DATABASE}\n"
            f"default_pass = {DATABASE}\n"
            "log.console = true\n"
            "log.console.level = warning\n"
            "log.file = false\n"
        )
        source = self.folder / "kairos_epmd.erl"
        source.write_text(EPMD)
        done = subprocess.run([program("erlc"), source.name], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise ServiceError(f"{source} could not be compiled:\n{done.stdout}{done.stderr}")

    def command(self) -> list[str]:
        return [str(DEBIAN_SCRIPT) if DEBIAN_SCRIPT.exists() else program("rabbitmq-server")]

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),  # Erlang's cookie
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the server instead of waiting for it
            "RABBITMQ_NODENAME": "kairos@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "none.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "server.pid"),
            # For every Erlang that the server starts; the port only has to be a number.
            "ERL_FLAGS": (
                f"-start_epmd false -dist_listen false -epmd_module kairos_epmd -erl_epmd_port 1 -pa {self.folder}"
            ),
        }

    def check(self) -> str:
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # what it says of each try is in the NotReady
        try:
            return f"RabbitMQ {asyncio.run(_version(self._url))}"
        except (aiormq.exceptions.AMQPError, OSError, TimeoutError) as error:
            raise NotReady(str(error)) from None


async def _version(url: str) -> str:
    async with asyncio.timeout(2):
        connection = await aiormq.connect(url)
        try:
            return str(connection.server_properties.get("version", ""))
        finally:
            await connection.close()
