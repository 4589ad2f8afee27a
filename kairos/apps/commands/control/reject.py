"""`kairos reject`."""

from __future__ import annotations

from typing import Annotated

import typer

from kairos.apps.commands.control.deciding import Author, Subjects, decide
from kairos.apps.inputs.store import RuleStore
from kairos.usecases.control.approvals import reject as usecase

app = typer.Typer(rich_markup_mode=None)


@app.command()
def reject(
    subjects: Subjects,
    comment: Annotated[str, typer.Option(help="What is to be changed.")] = "",
    store: RuleStore = None,
    author: Author = None,
) -> None:
    """Send back what was submitted, and say why. It has to be submitted again.

    \b
    Examples:
      kairos reject cart_left --comment "the link leads nowhere"
    """
    decide(usecase, subjects, comment, store, author)
