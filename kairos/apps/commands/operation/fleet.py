"""`kairos fleet up | down | status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.commands.operation.stack import show_status
from kairos.apps.fleet.fleet import Fleet
from kairos.apps.fleet.settings import load_settings
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import say

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Only these; default: all that the file names.")]
File = Annotated[Path, typer.Option("--fleet", help="What there is; docs/upgrade.md has its keys.")]
FLEET = Path("conf/fleet.yaml")


@app.callback()
def fleet() -> None:
    """Workers, gateway and scheduler as processes of this machine, as conf/fleet.yaml names them.

    \b
    Examples:
      kairos fleet up
      kairos fleet status
    """


@app.command()
def up(names: Names = None, file: File = FLEET) -> None:
    """Start what does not run, or has died; return when each is ready.

    \b
    Example:
      kairos fleet up
    """
    with told():
        Fleet(load_settings(file)).up(names or (), report=say)


@app.command()
def down(names: Names = None, file: File = FLEET) -> None:
    """Stop them; each finishes what it has begun.

    \b
    Example:
      kairos fleet down gateway
    """
    with told():
        Fleet(load_settings(file)).down(names or (), report=say)


@app.command()
def status(file: File = FLEET) -> None:
    """What runs, and whether it is ready. Exit 1 unless all are.

    \b
    Example:
      kairos fleet status
    """
    with told():
        rows = Fleet(load_settings(file)).status()
    show_status(rows)
    raise typer.Exit(0 if all(row.state == "up" for row in rows) else 1)
