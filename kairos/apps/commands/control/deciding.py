"""What `approve` and `reject` have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from kairos.adapters.control.database import Control
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.store import rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.usecases.control.approvals import Reviewed
from kairos.usecases.control.rights import Actor

Subjects = Annotated[
    list[str], typer.Argument(help="What was submitted, as `reviews` shows it: NAME@HASH, or NAME.", metavar="SUBJECT")
]
Author = Annotated[str | None, typer.Option(help="Who decides; else the system's user name.")]
Decision = Callable[[Control, str, str | None, str, Actor, int], Reviewed]
"""`approve` or `reject` of the use cases."""


def decide(decision: Decision, subjects: list[str], comment: str, store: str | None, author: str | None) -> None:
    """One after the other, each for itself: at one that cannot be decided on it ends, and those before stay decided."""
    with told():
        target = rule_store(store)
        actor = acting(target, author)
        with Control(target) as control:
            for subject in subjects:
                name, _, meaning = subject.partition("@")
                done = decision(control, name, meaning or None, comment, actor, now())
                turn = f", waits for {done.open}" if done.open is not None else ""
                sys.stdout.write(f"{escape(done.subject)}: {done.state.replace('_', ' ')}{turn}\n")
