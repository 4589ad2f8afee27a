"""The section `alarms` of a configuration: who is told, and where the job's time is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.alarms import alertmanager
from kairos.adapters.alarms.receiver import ChannelReceiver, Receiver
from kairos.adapters.channels.options import ChannelSettingsError, Surroundings, decode
from kairos.adapters.channels.providers import open_channel
from kairos.adapters.settings.coupons import Coupons
from kairos.adapters.settings.file import Duration, SettingsError, convert, full_store, read
from kairos.adapters.settings.kafka import KafkaAddress

ALERTMANAGER = "alertmanager"


class AlarmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`receivers`: by name, a provider with its options as in `delivery.channels`, and `to`, an address; or
    `alertmanager`. `state`: a file that knows what was said; None: every start says it anew. `flink`: URL of the job's
    JobManager; None: time is taken to go on as the clock does. `runbooks`: stands before the paths of runbooks. `lag`:
    so long after a minute all of it has come; with `kafka.exactly_once` longer than a checkpoint takes. `timeout`: of
    one call.
    """

    receivers: dict[str, dict[str, Any]] = {}
    state: str | None = None
    flink: str | None = None
    runbooks: str = ""
    lag: Duration = Duration(10_000)
    timeout: Duration = Duration(10_000)


class Rules(msgspec.Struct, frozen=True):
    store: str = "rules"


class Warehouse(msgspec.Struct, frozen=True):
    folder: str | None = None


class Profiles(msgspec.Struct, frozen=True):
    redis: str | None = None


class Conf(msgspec.Struct, frozen=True):
    kafka: KafkaAddress
    alarms: AlarmSettings = AlarmSettings()
    rules: Rules = Rules()
    warehouse: Warehouse = Warehouse()
    profiles: Profiles = Profiles()
    coupons: Coupons = Coupons()


def load(path: Path, overrides: Iterable[str] = ()) -> Conf:
    """Raises SettingsError."""
    conf = convert(read(path, overrides), Conf, path)
    return msgspec.structs.replace(conf, rules=Rules(full_store(conf.rules.store)))


def open_receivers(settings: AlarmSettings, now: Callable[[], int], place: str) -> dict[str, Receiver]:
    """Connects to nothing yet. `now`: epoch ms. `place`: the file, for messages. Raises SettingsError."""
    found = {}
    for name, given in settings.receivers.items():
        try:
            found[name] = _open(name, given, settings, now, f"{place}: alarms.receivers.{name}")
        except ChannelSettingsError as error:
            raise SettingsError(str(error)) from None
    return found


def _open(name: str, given: Mapping[str, Any], settings: AlarmSettings, now: Callable[[], int], place: str) -> Receiver:
    """Raises ChannelSettingsError."""
    options = {key: value for key, value in given.items() if key not in ("provider", "to")}
    provider, to = str(given.get("provider", "")), given.get("to")
    around = Surroundings(settings.timeout, now, place)
    if provider == ALERTMANAGER:
        return alertmanager.Alertmanager(decode(options, alertmanager.Options, place), around, settings.runbooks)
    channel = open_channel(provider, options, timeout=settings.timeout, now=now, place=place)
    return ChannelReceiver(name, channel, None if to is None else str(to), settings.runbooks)
