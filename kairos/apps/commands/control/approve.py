"""`kairos approve`."""

from __future__ import annotations

from typing import Annotated

import typer

from kairos.apps.commands.control.deciding import Author, Subjects, decide
from kairos.apps.inputs.store import RuleStore
from kairos.usecases.control.approvals import approve as usecase

app = typer.Typer(rich_markup_mode=None)


@app.command()
def approve(
    subjects: Subjects,
    comment: Annotated[str, typer.Option(help="For those who come after.")] = "",
    store: RuleStore = None,
    author: Author = None,
) -> None:
    """Agree to what was submitted, in the step whose turn it is.

    Nobody agrees to their own; with the hash, nobody to what was submitted after they looked.

    \b
    Examples:
      kairos approve cart_left@3f9a1c22d0b7 --comment "good"
      kairos approve cart_left policy.yaml
    """
    decide(usecase, subjects, comment, store, author)
