"""`kairos resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from kairos.apps.commands.control.turning import All, Author, Names, Theme, turn_all
from kairos.apps.inputs.store import RuleStore

app = typer.Typer(rich_markup_mode=None)


@app.command()
def resume(
    activities: Names = None,
    theme: Theme = None,
    everything: All = False,
    reason: Annotated[str, typer.Option(help="What has been mended.")] = "",
    store: RuleStore = None,
    author: Author = None,
) -> None:
    """Let an activity go on that was paused, by `kairos pause` or by `stop_if` of its pace.

    It reaches whom it would have reached from now on; what was suppressed meanwhile does not come later.

    \b
    Examples:
      kairos resume cart_left
      kairos resume --all
    """
    turn_all(activities, theme, everything, "live", reason, store, author)
