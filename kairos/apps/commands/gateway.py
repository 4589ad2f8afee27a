"""`kairos gateway`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.console import fail, reason_of, say

app = typer.Typer(rich_markup_mode=None)


@app.command()
def gateway(
    conf: Annotated[Path, typer.Option(help="The configuration; docs/gateway.md has its section `gateway`.")] = Path(
        "conf/local.yaml"
    ),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    heartbeat: Annotated[
        bool, typer.Option("--heartbeat", help="Write the heartbeats too (`kairos heartbeat`).")
    ] = False,
) -> None:
    """Take events over HTTP into Kafka, until Ctrl-C or SIGTERM: then requests under way are finished.

    A request is answered with 200 when Kafka has its events, and never before. With `gateway.grpc_port` events are
    taken over gRPC too.

    \b
    Examples:
      kairos gateway --conf conf/local.yaml
      kairos gateway --set gateway.port=9000 --heartbeat
      kairos gateway --set gateway.grpc_port=9090
    """
    from kairos.adapters.sources import SourceStoreError
    from kairos.apps.gateway.process import serve
    from kairos.apps.gateway.settings import load

    try:
        settings = load(conf, set or ())
        serve(settings, str(conf), beats=heartbeat, ready=lambda address: say(f"gateway: takes events at {address}"))
    except (SettingsError, SourceStoreError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{settings.gateway.host}:{settings.gateway.port}: cannot listen there: {reason_of(error)}")
