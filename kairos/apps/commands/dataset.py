"""`kairos dataset`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.console import fail, reason_of, say
from kairos.apps.dataset import DatasetError, prepare
from kairos.apps.native.settings import data_folder

app = typer.Typer(rich_markup_mode=None)


@app.command()
def dataset(
    folder: Annotated[Path | None, typer.Option(help="Where to; default: the data folder's data/.")] = None,
    wheel: Annotated[Path | None, typer.Option(help="The package's wheel, where there is no package index.")] = None,
) -> None:
    """Fetch the example clickstream once, and write it as events and profiles.

    The file comes out of the package `retentioneering` (Apache-2.0), of which nothing is installed. Contact data in the
    profiles is made up from the user ids.

    \b
    Examples:
      kairos dataset
      kairos dataset --folder /tmp/shop --wheel retentioneering-5.2.4-py3-none-any.whl
    """
    try:
        done = prepare(folder or data_folder() / "data", wheel)
    except DatasetError as error:
        fail(str(error))
    except OSError as error:
        fail(f"the example data: {error.filename or ''}: {reason_of(error)}")
    say(f"{done.events}: {done.event_count:,} events of {done.user_count:,} users; {done.profiles}: their profiles")
