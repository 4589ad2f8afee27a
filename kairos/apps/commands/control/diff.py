"""`kairos diff`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.usecases.control.history import diff as usecase
from kairos.usecases.control.plan import told_difference

app = typer.Typer(rich_markup_mode=None)


@app.command()
def diff(
    one: Annotated[int, typer.Argument(metavar="N", help="A release, by its number.")],
    other: Annotated[int, typer.Argument(metavar="M", help="Another one.")],
    store: RuleStore = None,
) -> None:
    """Tell what differs between two releases, field by field, a text by its lines; how it is written does not count.

    Exits with 1 where something does.

    \b
    Examples:
      kairos diff 11 12
    """
    with told():
        target = rule_store(store)
        acting(target).need("look")
        found = usecase(target, one, other)
    for each in found:
        for line in told_difference(each):
            sys.stdout.write(escape(line) + "\n")
    raise typer.Exit(1 if found else 0)
