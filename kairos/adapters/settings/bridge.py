"""The section `bridge` of a configuration, and what a bridge reads of the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from yarl import URL

from kairos.adapters.channels.secret import resolve
from kairos.adapters.settings import gateway
from kairos.adapters.settings.file import SettingsError, convert, read
from kairos.adapters.settings.kafka import KafkaAddress

HEARTBEAT_SECONDS = 10
"""After three of them without a word from RabbitMQ the connection counts as lost."""


class RabbitMq(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url`: amqp:// or amqps://, whose parameters `cafile`, `certfile` and `keyfile` name PEM files. `password`: a
    reference, `{env: NAME}` or `{file: PATH}`, where it is not in the url. `prefetch`: messages in memory."""

    url: str
    password: Any = None
    prefetch: int = 1_000


class Foreign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another Kafka; `properties` as in the section `kafka`."""

    bootstrap: str
    properties: dict[str, str] = {}


class Bridge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rabbitmq: RabbitMq | None = None
    kafka: Foreign | None = None


class _Section(msgspec.Struct, frozen=True):
    bridge: Bridge = Bridge()


class Conf(msgspec.Struct, frozen=True):
    """`access`: what the gateway reads too. `place`: the file, for messages."""

    access: gateway.Conf
    bridge: Bridge
    place: str

    def rabbitmq(self) -> tuple[URL, int]:
        """Its address, ready to connect, and the prefetch. Raises SettingsError."""
        found = self.bridge.rabbitmq
        if found is None:
            raise SettingsError(f"{self.place}: a section 'bridge.rabbitmq' with its 'url' is needed")
        if not 0 < found.prefetch < 65_536:
            raise SettingsError(f"{self.place}: bridge.rabbitmq.prefetch must be from 1 to 65535")
        url = self._url(found)
        if found.password is not None:
            try:
                url = url.with_password(resolve(found.password).reveal())
            except ValueError as error:
                raise SettingsError(f"{self.place}: bridge.rabbitmq.password: {error}") from None
        return url, found.prefetch

    def _url(self, found: RabbitMq) -> URL:
        """The message must not tell the url: there may be a password in it."""
        try:
            url = URL(found.url)
        except ValueError:
            url = URL()
        if url.scheme not in ("amqp", "amqps") or not url.host:
            raise SettingsError(
                f"{self.place}: bridge.rabbitmq.url must be amqp://user@host:port/vhost, or amqps://..."
            )
        if found.password is not None and url.password is not None:
            raise SettingsError(f"{self.place}: bridge.rabbitmq: a password is in its 'url' and in 'password'")
        return url if "heartbeat" in url.query else url.update_query(heartbeat=HEARTBEAT_SECONDS)

    def foreign(self, bootstrap: str | None) -> KafkaAddress:
        """The Kafka to read from; without a word about it, the one that the events go to."""
        found = self.bridge.kafka
        if found is None:
            ours = self.access.kafka
            return ours if bootstrap is None else KafkaAddress(bootstrap, properties=ours.properties)
        return KafkaAddress(bootstrap or found.bootstrap, properties=found.properties)


def load(path: Path, overrides: Iterable[str] = ()) -> Conf:
    """Raises SettingsError."""
    overrides = list(overrides)
    return Conf(gateway.load(path, overrides), convert(read(path, overrides), _Section, path).bridge, str(path))
