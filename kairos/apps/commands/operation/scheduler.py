"""`kairos scheduler`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.inputs.status import Status
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import keep_private

app = typer.Typer(rich_markup_mode=None)


@app.command()
def scheduler(
    conf: Annotated[Path, typer.Option(help="The configuration of job and workers.")] = Path("conf/local.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    status: Status = None,
) -> None:
    """Tell the job whose slot has come: schedules of the rules become events when they are due, never before.

    One process does it, until Ctrl-C or SIGTERM; a second one waits for its end, and goes on where it stopped.

    \b
    Examples:
      kairos scheduler --conf conf/local.yaml
    """
    from kairos.adapters.settings.delivery import load
    from kairos.apps.scheduler.process import serve

    keep_private()
    with told():
        serve(load(conf, set or ()), status)
