"""`kairos callbacks`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.console import escape, fail, reason_of

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
    /callbacks/CHANNEL; /health counts what came.

    \b
    Examples:
      kairos callbacks --conf conf/local.yaml
      kairos callbacks --host 0.0.0.0 --port 8090
    """
    from kairos.adapters.delivery_database import DatabaseError
    from kairos.apps.callback_server import parsers_of, serve
    from kairos.apps.delivery.settings import load
    from kairos.apps.listening import listen

    try:
        settings = load(conf, set or ())
        parsers_of(settings)
        with listen(host, port) as listener:
            serve(settings, listener)
    except (SettingsError, DatabaseError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot listen on {escape(host)}, port {port}: {reason_of(error)}")
