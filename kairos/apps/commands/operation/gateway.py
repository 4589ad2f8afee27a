"""`kairos gateway`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, say
from kairos.usecases.errors import reason_of

if TYPE_CHECKING:
    from kairos.apps.gateway.process import Serving

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
    from kairos.adapters.settings.gateway import load
    from kairos.apps.gateway.process import serve

    try:
        with told():
            settings = load(conf, set or ())
            serving = None if settings.gateway.grpc_port is None else _grpc()
            serve(settings, str(conf), serving, beats=heartbeat, ready=_listening)
    except OSError as error:
        fail(f"{settings.gateway.host}:{settings.gateway.port}: cannot listen there: {reason_of(error)}")


def _grpc() -> Serving:
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # read at its import: it tells of every mistake of a client
    from kairos.apps.grpc.server import serving

    return serving


def _listening(address: str) -> None:
    say(f"gateway: takes events at {address}")
