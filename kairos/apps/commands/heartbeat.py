"""`kairos heartbeat`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps import heartbeat as process
from kairos.apps.stack import load_settings

app = typer.Typer(rich_markup_mode=None)


@app.command()
def heartbeat(
    kafka: Annotated[str | None, typer.Option(help="host:port of a broker; default: the local stack's.")] = None,
    note: Annotated[Path | None, typer.Option(help="A file that tells of the last round.")] = None,
) -> None:
    """Write a heartbeat a second into every partition of the event topics, until stopped.

    Without it nothing that waits for silence ("unpaid for 10 minutes") fires while users are silent.
    """
    process.main(kafka or load_settings().kafka, note)
