"""`kairos bridge rabbitmq | kafka`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kairos.apps.inputs.status import Status
from kairos.apps.view.errors import told

if TYPE_CHECKING:
    from kairos.adapters.settings.bridge import Conf
    from kairos.apps.bridges.feed import Feed

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

ConfFile = Annotated[Path, typer.Option(help="The configuration; docs/bridges.md has its section `bridge`.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="section.key=value over the configuration.")]
Source = Annotated[str, typer.Option(help="In whose name: its definition reads them, their topic is events.<source>.")]
CONF = Path("conf/local.yaml")


class Start(Enum):
    earliest = "earliest"
    latest = "latest"


@app.callback()
def bridge() -> None:
    """Carry messages of others into Kafka as events of a source, until Ctrl-C or SIGTERM.

    A message is acknowledged when Kafka has its event, or its dead letter, and never before. While the source is
    switched off, messages stay where they are.

    \b
    Example:
      kairos bridge rabbitmq --queue orders --source shop
    """


@app.command()
def rabbitmq(
    queue: Annotated[str, typer.Option(help="There already: it is not declared here.")],
    source: Source,
    conf: ConfFile = CONF,
    overrides: Overrides = None,
    status: Status = None,
) -> None:
    """From a RabbitMQ queue.

    \b
    Examples:
      kairos bridge rabbitmq --queue orders --source shop
      kairos bridge rabbitmq --queue orders --source shop \\
        --set bridge.rabbitmq.prefetch=5000
    """
    from kairos.apps.bridges.rabbitmq import open_queue

    with _settings(conf, overrides) as settings:
        url, prefetch = settings.rabbitmq()
        _serve(settings, f"rabbitmq:{queue}", source, lambda: open_queue(url, queue, prefetch), status)


@app.command()
def kafka(
    topic: Annotated[str, typer.Option(help="There already: it is not made here.")],
    source: Source,
    bootstrap: Annotated[
        str | None,
        typer.Option(help="Of another Kafka; default: `bridge.kafka` in the configuration, else `kafka`."),
    ] = None,
    start: Annotated[Start, typer.Option(help="Where it begins the first time.")] = Start.earliest,
    conf: ConfFile = CONF,
    overrides: Overrides = None,
    status: Status = None,
) -> None:
    """From a topic whose records are JSON of any shape.

    \b
    Examples:
      kairos bridge kafka --topic shop.orders.v2 --source shop
      kairos bridge kafka --topic orders --source shop \\
        --bootstrap other:9092 --start latest
    """
    from kairos.adapters.kafka.client import client_options
    from kairos.apps.bridges.kafka import open_topic

    with _settings(conf, overrides) as settings:
        foreign = settings.foreign(bootstrap)
        client_options(foreign)
        group = f"{settings.access.kafka.prefix}kairos-bridge-{source}-{topic}"
        _serve(settings, f"kafka:{topic}", source, lambda: open_topic(foreign, topic, group, start.value), status)


def _serve(
    settings: Conf, name: str, source: str, open_feed: Callable[[], Awaitable[Feed]], status: str | None
) -> None:
    from kairos.apps.bridges.process import serve

    serve(settings, name, source, open_feed, status)


@contextmanager
def _settings(conf: Path, overrides: list[str] | None) -> Iterator[Conf]:
    """What cannot be used, found here or later, is told, and ends the command with 2."""
    from kairos.adapters.settings.bridge import load

    with told():
        yield load(conf, overrides or ())
