"""`kairos dataset`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.native.settings import data_folder
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, say
from kairos.usecases.errors import reason_of
from kairos.usecases.operation.dataset import cdnow as dataset_cdnow
from kairos.usecases.operation.dataset.clickstream import prepare

app = typer.Typer(rich_markup_mode=None)


class Name(StrEnum):
    """`ecom`: the clickstream of a web shop; `cdnow`: real purchases of a shop for music."""

    ecom = "ecom"
    cdnow = "cdnow"


@app.command()
def dataset(
    name: Annotated[Name, typer.Argument(help="The clickstream, or real purchases.")] = Name.ecom,
    folder: Annotated[Path | None, typer.Option(help="Where to; default: the data folder's data/.")] = None,
    wheel: Annotated[Path | None, typer.Option(help="The package's wheel, where there is no package index.")] = None,
) -> None:
    """Fetch the example clickstream once, and write it as events and profiles; or the purchases of CDNOW, as events.

    The files come out of the packages `retentioneering` (Apache-2.0) and `lifetimes` (MIT), of which nothing is
    installed. Contact data in the profiles is made up from the user ids.

    \b
    Examples:
      kairos dataset
      kairos dataset cdnow
      kairos dataset --folder /tmp/shop \\
        --wheel retentioneering-5.2.4-py3-none-any.whl
    """
    where = folder or data_folder() / "data"
    try:
        with told():
            if name is Name.cdnow:
                bought = dataset_cdnow.prepare(where, wheel)
                say(f"{bought.events}: {bought.event_count:,} purchases of {bought.user_count:,} customers")
                return
            done = prepare(where, wheel)
    except OSError as error:
        fail(f"the example data: {error.filename or ''}: {reason_of(error)}")
    say(f"{done.events}: {done.event_count:,} events of {done.user_count:,} users; {done.profiles}: their profiles")
