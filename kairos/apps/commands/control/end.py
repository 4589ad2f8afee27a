"""`kairos end`."""

from __future__ import annotations

from typing import Annotated

import typer

from kairos.apps.commands.control.turning import Author, Names, Theme, turn_all
from kairos.apps.inputs.store import RuleStore

app = typer.Typer(rich_markup_mode=None)


@app.command()
def end(
    activities: Names = None,
    theme: Theme = None,
    reason: Annotated[str, typer.Option(help="Why it is over.")] = "",
    store: RuleStore = None,
    author: Author = None,
) -> None:
    """End an activity for good, within seconds and without a release: `suppress: state` from then on.

    It does not begin again; to have it back, publish it under another name.

    \b
    Examples:
      kairos end spring_sale --reason "sold out"
    """
    turn_all(activities, theme, False, "ended", reason, store, author)
