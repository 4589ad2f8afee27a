"""`kairos api`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, say
from kairos.usecases.errors import reason_of

app = typer.Typer(rich_markup_mode=None)


@app.command()
def api(
    conf: Annotated[Path, typer.Option(help="The configuration; docs/api.md has its section `api`.")] = Path(
        "conf/local.yaml"
    ),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    openapi: Annotated[bool, typer.Option("--openapi", help="Print the interface as OpenAPI, and end.")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print its paths as docs/api.md has them, and end.")] = False,
) -> None:
    """Serve everything that the commands do over HTTP, with the same rights, until Ctrl-C or SIGTERM.

    \b
    Examples:
      kairos api --conf conf/local.yaml
      kairos api --openapi > openapi.json
    """
    if openapi or paths:
        from kairos.apps.api.openapi import document, table

        sys.stdout.write(json.dumps(document(), indent=1) + "\n" if openapi else table())
        return
    from kairos.adapters.settings.api import load
    from kairos.apps.api.process import serve

    try:
        with told():
            settings = load(conf, set or ())
            serve(settings, lambda address: say(f"api: answers at {address}"))
    except OSError as error:
        fail(f"{settings.api.host}:{settings.api.port}: cannot listen there: {reason_of(error)}")
