"""The section `delivery` of a configuration: the ledger's database, and how each channel is served."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.channels.channel import Channel
from kairos.adapters.channels.providers import ChannelSettingsError, open_channel
from kairos.adapters.channels.secret import resolve
from kairos.adapters.delivery.policy import Policy
from kairos.adapters.delivery.unsubscribe_links import Links
from kairos.adapters.settings.coupons import Coupons
from kairos.adapters.settings.file import Duration, SettingsError, convert, full_store, read
from kairos.adapters.settings.kafka import KafkaAddress

RESENDING = frozenset({"webhook"})
"""Channels whose receivers are expected to know a key when they see it again."""


class ChannelSettings(msgspec.Struct, frozen=True):
    """What the worker itself reads of a channel; every other key is the provider's.

    `concurrency`: calls at once. `room`: deliveries in memory. `lease`: how long beyond the time-out of a call nobody
    else judges it. `resend` null: true for webhooks, else false. `agree`: how many different addresses must refuse, and
    none take a message meanwhile, until the channel pauses.
    """

    provider: str
    concurrency: int = 128
    timeout: Duration = Duration(10_000)
    attempts: int = 5
    max_age: Duration = Duration(3_600_000)
    backoff: Duration = Duration(1_000)
    max_backoff: Duration = Duration(300_000)
    lease: Duration = Duration(30_000)
    room: int = 2_000
    resend: bool | None = None
    agree: int = 3

    def policy(self, channel: str) -> Policy:
        resend = channel in RESENDING if self.resend is None else self.resend
        return Policy(resend, self.timeout, self.attempts, self.max_age, self.backoff, self.max_backoff, self.lease)


class Unsubscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url`: where `kairos callbacks` is reached from outside. `keys`: id -> a secret by reference; the first signs the
    links, all of them are known when a link comes back."""

    url: str
    keys: dict[str, Any]


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`store`: an SQLAlchemy URL. `lists`: a file for dead addresses and opt-outs where profiles are not in Redis.
    `unsubscribe`: links by which users leave; None: there are none."""

    store: str
    channels: dict[str, dict[str, Any]] = {}
    lists: str | None = None
    unsubscribe: Unsubscribe | None = None


class Rules(msgspec.Struct, frozen=True):
    store: str = "rules"


class Profiles(msgspec.Struct, frozen=True):
    redis: str | None = None
    file: str | None = None
    crowds: str | None = None


class Warehouse(msgspec.Struct, frozen=True):
    """`folder`: whoever an event in it is of is known."""

    folder: str | None = None


class Conf(msgspec.Struct, frozen=True):
    """What the worker reads of the configuration that it shares with the job."""

    delivery: Delivery
    kafka: KafkaAddress | None = None
    rules: Rules = Rules()
    profiles: Profiles = Profiles()
    coupons: Coupons = Coupons()
    warehouse: Warehouse = Warehouse()
    place: str = ""

    def channel(self, name: str) -> ChannelSettings:
        """Raises SettingsError."""
        options = self._options(name)
        own = {key: value for key, value in options.items() if key in ChannelSettings.__struct_fields__}
        place = f"{self.place}: delivery.channels.{name}"
        try:
            settings = convert(own, ChannelSettings, Path(place))
        except SettingsError as error:
            raise SettingsError(str(error).replace(f"{place}: ", f"{place}.", 1)) from None
        for key in ("concurrency", "attempts", "room", "timeout", "backoff", "agree"):
            if getattr(settings, key) < 1:
                raise SettingsError(f"{place}.{key} must be more than 0")
        return settings

    def provider(self, name: str) -> Channel:
        """Connects to nothing yet. Raises SettingsError."""
        settings = self.channel(name)
        others = {k: v for k, v in self._options(name).items() if k not in ChannelSettings.__struct_fields__}
        try:
            place = f"{self.place}: delivery.channels.{name}"
            return open_channel(settings.provider, others, timeout=settings.timeout, place=place)
        except ChannelSettingsError as error:
            raise SettingsError(str(error)) from None

    @property
    def codes(self) -> Coupons | None:
        """Where those of coupons are, as the job has it; None: nowhere."""
        return self.coupons.beside(self.profiles.redis)

    def need_kafka(self) -> KafkaAddress:
        """Raises SettingsError."""
        if self.kafka is None:
            raise SettingsError(f"{self.place}: without a section 'kafka' there is nothing to deliver from")
        return self.kafka

    def links(self) -> Links | None:
        """Raises SettingsError."""
        settings, place = self.delivery.unsubscribe, f"{self.place}: delivery.unsubscribe"
        if settings is None:
            return None
        keys = {}
        for name, reference in settings.keys.items():
            try:
                keys[name] = resolve(reference)
            except ValueError as error:
                raise SettingsError(f"{place}.keys.{name}: {error}") from None
        try:
            return Links(settings.url, keys, place)
        except ChannelSettingsError as error:
            raise SettingsError(str(error)) from None

    def _options(self, name: str) -> dict[str, Any]:
        channels = self.delivery.channels
        if name not in channels:
            known = f"there are: {', '.join(channels)}" if channels else "there are none yet"
            raise SettingsError(f"{self.place}: no 'delivery.channels.{name}' says how to send there; {known}")
        return dict(channels[name])


def load(path: Path, overrides: Iterable[str] = ()) -> Conf:
    """Raises SettingsError."""
    document = read(path, overrides)
    if not isinstance(document.get("delivery"), dict):
        raise SettingsError(f"{path}: a section 'delivery' is needed; docs/delivery.md shows one")
    conf = convert({**document, "place": str(path)}, Conf, path)
    for name in conf.delivery.channels:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
            raise SettingsError(f"{path}: delivery.channels: '{name}' is not the name of a channel")
    rules = msgspec.structs.replace(conf.rules, store=full_store(conf.rules.store))
    return msgspec.structs.replace(conf, rules=rules)
