"""`kairos console`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, say
from kairos.usecases.errors import reason_of

app = typer.Typer(rich_markup_mode=None)


@app.command()
def console(
    conf: Annotated[Path, typer.Option(help="The configuration; docs/api.md has its section `api`.")] = Path(
        "conf/embedded.yaml"
    ),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
) -> None:
    """Serve the console, with the API beside it, until Ctrl-C or SIGTERM.

    While the rule store has no users, whoever is at this machine may look and act, and nobody else.

    \b
    Examples:
      kairos console                           on the files that `kairos run` left
      kairos console --conf conf/local.yaml
    """
    from kairos.adapters.settings.api import load
    from kairos.apps.console.process import serve

    try:
        with told():
            settings = load(conf, set or ())
            serve(settings, lambda address: say(f"console: open {address} in a browser"))
    except OSError as error:
        fail(f"{settings.api.host}:{settings.api.port}: cannot listen there: {reason_of(error)}")
