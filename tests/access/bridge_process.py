"""`kairos bridge` as a process, and the queue that it reads, filled by a client that nobody here wrote."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
from typer.testing import CliRunner, Result

from kairos.adapters.sources.sql import SqlSourceStore
from kairos.apps.cli import app
from kairos.apps.stack import Stack
from kairos.engine.rule.model import Source
from tests.access.gateway.gateway_process import PATIENCE_SECONDS, eventually, read_all, unique


class BridgePlace:
    """A store of sources of its own, in SQLite, and a conf file: what outlives bridges."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.kafka = folder, stack.settings.kafka
        self.store = SqlSourceStore(f"sqlite:///{folder}/control.db")
        self.conf = folder / "conf.json"  # JSON is YAML
        conf = {
            "kafka": {"bootstrap": stack.settings.kafka},
            "gateway": {"sources": f"sqlite:///{folder}/control.db"},
            "delivery": {"store": f"sqlite:///{folder}/delivery.db"},
            "bridge": {"rabbitmq": {"url": stack.settings.rabbitmq_url, "prefetch": 100}},
        }
        self.conf.write_text(json.dumps(conf))

    def put(self, source: Source) -> None:
        self.store.put(source, "tests")

    def events(self, source: str) -> list[dict[str, Any]]:
        return read_all(self.kafka, f"events.{source}")

    def letters(self, source: str) -> list[dict[str, Any]]:
        """Of bridges of this source, with `place`."""
        found = read_all(self.kafka, "dead-letters", keyless=True)
        return [letter for letter in found if letter["origin"].endswith(f"/{source}")]

    def replay(self, *arguments: str) -> Result:
        """`kairos dead-letters replay`."""
        return CliRunner().invoke(app, ["dead-letters", "replay", *arguments, "--conf", str(self.conf)])

    @contextmanager
    def bridge(self, *arguments: str) -> Iterator[BridgeProcess]:
        process = BridgeProcess(self.folder / f"{unique('bridge')}.log", [*arguments, "--conf", str(self.conf)])
        try:
            yield process.start()
        finally:
            process.kill()


class BridgeProcess:
    def __init__(self, log: Path, arguments: list[str]) -> None:
        self._log, self._arguments = log, arguments
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> BridgeProcess:
        """Anew; its log goes on."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "kairos", "bridge", *self._arguments]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ))
        return self

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def says(self, words: str, times: int = 1) -> None:
        """Waits until it has."""
        assert self.process is not None

        def heard() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"the bridge has ended:\n{self.said()}"
            return self.said().count(words) >= times

        eventually(heard)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """As an operator does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


class Queue:
    """A durable queue, through pika."""

    def __init__(self, url: str) -> None:
        self.name = unique("orders")
        self._url = url
        with self._channel() as channel:
            channel.queue_declare(self.name, durable=True)

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def publish(self, messages: Iterable[tuple[bytes, Mapping[str, Any]]], *, confirmed: bool = True) -> None:
        """(body, AMQP properties); returns when RabbitMQ has confirmed each, or else at once."""
        with self._channel() as channel:
            if confirmed:
                channel.confirm_delivery()
            for body, properties in messages:
                channel.basic_publish("", self.name, body, pika.BasicProperties(delivery_mode=2, **properties))

    def ready(self) -> int:
        """How many lie there that no consumer has in hand."""
        return int(self._declared().message_count)

    def consumers(self) -> int:
        return int(self._declared().consumer_count)

    def _declared(self) -> Any:
        with self._channel() as channel:
            return channel.queue_declare(self.name, passive=True).method
