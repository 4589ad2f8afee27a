"""`kairos callbacks`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail
from kairos.usecases.errors import reason_of

app = typer.Typer(rich_markup_mode=None)


@app.command()
def callbacks(
    conf: Annotated[Path, typer.Option(help="The configuration, with a section `delivery`.")] = Path("conf/local.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any.")] = 18090,
) -> None:
    """Take what providers report of messages, delivered or failed, until Ctrl-C or SIGTERM.

    The job hears of it through the topic `receipts`. Providers reach this server through a proxy that speaks TLS, at
    /callbacks/CHANNEL; /metrics counts what came.

    \b
    Examples:
      kairos callbacks --conf conf/local.yaml
      kairos callbacks --host 0.0.0.0 --port 8090
    """
    from kairos.adapters.settings.delivery import load
    from kairos.apps.callbacks.process import parsers_of, serve
    from kairos.apps.listening import listen

    try:
        with told():
            settings = load(conf, set or ())
            parsers_of(settings)
            with listen(host, port) as listener:
                serve(settings, listener)
    except OSError as error:
        fail(f"cannot listen on {escape(host)}, port {port}: {reason_of(error)}")
