"""Which Kafka a command means: that of a configuration, a broker that is named, or the local stack's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.settings.kafka import KafkaAddress, load
from kairos.apps.inputs.people import rules_of
from kairos.apps.stack import load_settings
from kairos.apps.view.terminal import fail

Broker = Annotated[str | None, typer.Option("--kafka", help="host:port of a broker; default: the local stack's.")]
ConfFile = Annotated[Path | None, typer.Option("--conf", help="The configuration whose section `kafka` says where.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="section.key=value over the configuration.")]


def kafka_of(broker: str | None, conf: Path | None, overrides: list[str] | None) -> KafkaAddress:
    """A broker that is named goes before a configuration. Raises SettingsError; ends the command where there is
    nothing to change."""
    if conf is None and overrides:
        fail("--set changes what --conf says; without it there is nothing to change")
    if broker is not None or conf is None:
        return KafkaAddress(broker or load_settings().kafka)
    return load(conf, overrides or ())


def log_of(store: str | None, conf: Path | None, overrides: list[str] | None) -> str | None:
    """The rule store of whoever writes into that Kafka: the one that was named, else that of the configuration; None:
    there is none. Raises SettingsError."""
    return store if store is not None or conf is None else rules_of(conf, overrides or ())
