"""`kairos deliver`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.inputs.status import Status
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, keep_private

app = typer.Typer(rich_markup_mode=None)


@app.command()
def deliver(
    channels: Annotated[list[str] | None, typer.Argument(help="Channels; default: all of the configuration.")] = None,
    conf: Annotated[Path, typer.Option(help="The configuration, with a section `delivery`.")] = Path("conf/local.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    status: Status = None,
) -> None:
    """Send what was decided, until Ctrl-C or SIGTERM: then what is under way comes to its end, the rest is given back.

    One channel is this process; several are a process each. More workers of a channel, here or elsewhere, share its
    work and its rate. Of several, each tells of itself at a port of its own, from --status on.

    \b
    Examples:
      kairos deliver sms --conf conf/local.yaml
      kairos deliver                              a worker for every channel
    """
    from kairos.adapters.database.connection import open_engine
    from kairos.adapters.kafka.client import client_options
    from kairos.adapters.settings.delivery import load
    from kairos.apps.delivery.process import serve
    from kairos.apps.delivery.supervise import supervise

    keep_private()
    with told():
        settings = load(conf, set or ())
        names = channels or list(settings.delivery.channels)
        for name in names:
            settings.channel(name)
        client_options(settings.need_kafka())
        open_engine(settings.delivery.store).dispose()
        if len(names) == 1:
            raise typer.Exit(serve(settings, names[0], status))
        if not names:
            fail(f"{conf}: 'delivery.channels' names no channel")
        words = ["--conf", str(conf), *(word for override in set or () for word in ("--set", override))]
        raise typer.Exit(supervise(names, words, status))
