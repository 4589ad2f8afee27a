"""`kairos stack up | down | status`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from kairos.apps.console import fail, paint, say
from kairos.apps.stack import ServiceError, Stack, Status, load_settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Services = Annotated[list[str] | None, typer.Argument(help="Only these: kafka, redis, mariadb, rabbitmq, heartbeat.")]
_STYLES = {"up": "good", "failing": "warning", "down": "dim"}


@app.callback()
def stack() -> None:
    """Kafka, Redis, MariaDB, RabbitMQ and the heartbeat as processes of this machine, on loopback (conf/stack.yaml)."""


@app.command()
def up(services: Services = None) -> None:
    """Start what does not run; return when each answers."""
    try:
        Stack(load_settings()).up(services or (), report=say)
    except ServiceError as error:
        fail(str(error))


@app.command()
def down(services: Services = None) -> None:
    """Stop them; the data stays."""
    try:
        Stack(load_settings()).down(services or (), report=say)
    except ServiceError as error:
        fail(str(error))


@app.command()
def status() -> None:
    """What runs, where, and whether it answers. Exit 1 unless all do."""
    try:
        rows = Stack(load_settings()).status()
    except ServiceError as error:
        fail(str(error))
    show_status(rows)
    raise typer.Exit(0 if all(row.state == "up" for row in rows) else 1)


def show_status(rows: Iterable[Status]) -> None:
    for row in rows:
        state = paint(f"{row.state:8}", _STYLES[row.state], sys.stdout)
        process = f"pid {row.pid}, {row.memory >> 20} MB" if row.pid and row.memory else ""
        typer.echo(f"{row.name:14} {state} {row.address:36} {process:20} {row.detail}".rstrip())
