"""Which Kafka a command means: that of a configuration, a broker that is named, or the local stack's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.settings.kafka import KafkaAddress, load
from kairos.apps.inputs.installation import installed
from kairos.apps.inputs.people import rules_of
from kairos.apps.stack import load_settings
from kairos.apps.view.terminal import fail

Broker = Annotated[str | None, typer.Option("--kafka", help="host:port of a broker; default: the local stack's.")]
ConfFile = Annotated[Path | None, typer.Option("--conf", help="The configuration whose section `kafka` says where.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="section.key=value over the configuration.")]


def kafka_of(broker: str | None, conf: Path | None, overrides: list[str] | None) -> KafkaAddress:
    """Raises SettingsError; ends the command where the choice is none."""
    if conf is None:
        if overrides:
            fail("--set changes what --conf says; without it there is nothing to change")
        return KafkaAddress(broker or load_settings().kafka)
    if broker is not None and conf == installed():
        return KafkaAddress(broker)
    if broker is not None:
        fail("--kafka and --conf both say where Kafka is; one is enough")
    return load(conf, overrides or ())


def log_of(store: str | None, conf: Path | None, overrides: list[str] | None) -> str | None:
    """The rule store of whoever writes into that Kafka: that of the configuration, else the one that was named; None:
    there is none. Raises SettingsError."""
    return store if conf is None else rules_of(conf, overrides or ())
