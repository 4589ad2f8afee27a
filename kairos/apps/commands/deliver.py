"""`kairos deliver`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.console import fail

app = typer.Typer(rich_markup_mode=None)


@app.command()
def deliver(
    channels: Annotated[list[str] | None, typer.Argument(help="Channels; default: all of the configuration.")] = None,
    conf: Annotated[Path, typer.Option(help="The configuration, with a section `delivery`.")] = Path("conf/local.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
) -> None:
    """Send what was decided, until Ctrl-C or SIGTERM: then what is under way comes to its end, the rest is given back.

    One channel is this process; several are a process each. More workers of a channel, here or elsewhere, share its
    work and its rate.

    \b
    Examples:
      kairos deliver sms --conf conf/local.yaml
      kairos deliver                              a worker for every channel
    """
    from kairos.adapters.delivery_database import DatabaseError, open_engine
    from kairos.adapters.kafka_client import client_options
    from kairos.apps.delivery.process import kafka_of, serve
    from kairos.apps.delivery.settings import load
    from kairos.apps.delivery.supervise import supervise

    try:
        settings = load(conf, set or ())
        names = channels or list(settings.delivery.channels)
        for name in names:
            settings.channel(name)
        client_options(kafka_of(settings))
        open_engine(settings.delivery.store).dispose()
        if len(names) == 1:
            raise typer.Exit(serve(settings, names[0]))
        if not names:
            fail(f"{conf}: 'delivery.channels' names no channel")
        words = ["--conf", str(conf), *(word for override in set or () for word in ("--set", override))]
        raise typer.Exit(supervise(names, words))
    except (SettingsError, DatabaseError) as error:
        fail(str(error))
