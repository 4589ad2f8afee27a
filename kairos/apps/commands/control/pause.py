"""`kairos pause`."""

from __future__ import annotations

from typing import Annotated

import typer

from kairos.apps.commands.control.turning import All, Author, Names, Theme, turn_all
from kairos.apps.inputs.store import RuleStore

app = typer.Typer(rich_markup_mode=None)


@app.command()
def pause(
    activities: Names = None,
    theme: Theme = None,
    everything: All = False,
    reason: Annotated[str, typer.Option(help="Shown to whoever asks why nothing goes.")] = "",
    store: RuleStore = None,
    author: Author = None,
) -> None:
    """Let nothing of an activity go out any more, within seconds and without a release.

    What is known of users is kept; what falls due meanwhile is recorded as `suppress: paused`, and does not come later.
    Messages that wait for their channel are recalled.

    \b
    Examples:
      kairos pause cart_left --reason "wrong link"
      kairos pause --theme checkout
      kairos pause --all --reason "provider sends twice"
    """
    turn_all(activities, theme, everything, "paused", reason, store, author)
