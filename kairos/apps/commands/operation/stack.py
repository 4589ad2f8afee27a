"""`kairos stack up | down | status`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from kairos.apps.stack import Stack, Status, load_settings
from kairos.apps.view.errors import told
from kairos.apps.view.screen import put, screen
from kairos.apps.view.terminal import say

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Services = Annotated[
    list[str] | None,
    typer.Argument(
        help="Only these: kafka, redis, mariadb, rabbitmq, heartbeat; or scheduler, trino, prometheus, alertmanager."
    ),
]
_STYLES = {"up": "green", "failing": "yellow", "down": "dim"}


@app.callback()
def stack() -> None:
    """Kafka, Redis, MariaDB, RabbitMQ and the heartbeat as processes of this machine, on loopback (conf/stack.yaml).

    \b
    Examples:
      kairos stack up
      kairos stack status
    """


@app.command()
def up(services: Services = None) -> None:
    """Start what does not run; return when each answers. Those behind `heartbeat` start only when named.

    \b
    Examples:
      kairos stack up
      kairos stack up kafka redis
    """
    with told():
        Stack(load_settings()).up(services or (), report=say)


@app.command()
def down(services: Services = None) -> None:
    """Stop them; the data stays.

    \b
    Example:
      kairos stack down
    """
    with told():
        Stack(load_settings()).down(services or (), report=say)


@app.command()
def status() -> None:
    """What runs, where, and whether it answers. Exit 1 unless all do.

    \b
    Example:
      kairos stack status
    """
    with told():
        rows = Stack(load_settings()).status()
    show_status(rows)
    raise typer.Exit(0 if all(row.state == "up" for row in rows) else 1)


def show_status(rows: Sequence[Status]) -> None:
    """A line each; what a service says of itself goes on below where the terminal is narrow."""
    console = screen()
    name, state, address = (max(len(getattr(row, field)) for row in rows) for field in ("name", "state", "address"))
    for row in rows:
        process = f"pid {row.pid:<6} {row.memory >> 20:4} MB" if row.pid and row.memory else ""
        painted = Text(f"{row.state:{state}}", style=_STYLES[row.state])
        rest = f" {row.address:{address}} {process:18} {row.detail}"
        put(console, Text.assemble(f"{row.name:{name}} ", painted, rest), hang=2)
