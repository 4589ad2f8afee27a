"""`kairos history`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fitted
from kairos.usecases.control.history import history as usecase

app = typer.Typer(rich_markup_mode=None)


@app.command()
def history(
    activity: Annotated[str, typer.Argument(help="An activity or a journey.")], store: RuleStore = None
) -> None:
    """Tell what became of an activity: submitted, approved, published, paused and so on, by whom and why.

    \b
    Example:
      kairos history cart_left
    """
    with told():
        target = rule_store(store)
        acting(target).need("look")
        for each in usecase(target, activity):
            at = datetime.fromtimestamp(each.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            more = f": {escape(each.more)}" if each.more else ""
            line = f"{at}  {each.what:<10} by {escape(each.who or '-')}{more}"
            sys.stdout.write(fitted(line, hang=25) + "\n")
