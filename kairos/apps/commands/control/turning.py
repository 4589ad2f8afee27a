"""What `pause`, `resume` and `end` have in common."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.store import rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape
from kairos.engine.rule.changes.switch import Position
from kairos.usecases.control.switch import Turned, Which, turn

Names = Annotated[list[str] | None, typer.Argument(metavar="[ACTIVITY]...", help="Activities and journeys.")]
Theme = Annotated[str | None, typer.Option(help="All of one theme: the folder of their files.")]
All = Annotated[bool, typer.Option("--all", help="All activities of the newest release.")]
Author = Annotated[str | None, typer.Option(help="Who does it; else the system's user name.")]


def turn_all(
    names: list[str] | None,
    theme: str | None,
    everything: bool,
    state: Position,
    reason: str,
    store: str | None,
    author: str | None,
) -> None:
    with told():
        which = Which(tuple(names or ()), theme, everything)
        where = rule_store(store)
        for each in turn(where, which, state, acting(where, author), reason, now()):
            sys.stdout.write(_tell(each) + "\n")


def _tell(turned: Turned) -> str:
    stands = turned.standing
    if stands is None:
        text = f"{turned.activity}: live, as it was"
    else:
        at = datetime.fromtimestamp(stands.since / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        why = f": {escape(stands.reason)}" if stands.reason else ""
        text = f"{turned.activity}: {stands.state} since {at}, by {escape(stands.by)}{why}"
    if turned.by_file is not None:
        text += f"; its release says {turned.by_file}"
    return text if turned.changed or stands is None else f"{text} (no change)"
