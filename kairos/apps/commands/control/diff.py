"""`kairos diff`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.engine.rule.changes.in_words import in_words
from kairos.usecases.control.history import diff as usecase

app = typer.Typer(rich_markup_mode=None)


@app.command()
def diff(
    one: Annotated[int, typer.Argument(metavar="N", help="A release, by its number.")],
    other: Annotated[int, typer.Argument(metavar="M", help="Another one.")],
    store: RuleStore = None,
) -> None:
    """Tell what differs between two releases, field by field; how it is written does not count.

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
        before, after = (escape(in_words(each.field, side)) for side in (each.before, each.after))
        sys.stdout.write(f"{escape(each.field)}: {before} -> {after}\n")
    raise typer.Exit(1 if found else 0)
