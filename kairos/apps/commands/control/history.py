"""`kairos history`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fitted
from kairos.usecases.control.activities import ActivityState, activities
from kairos.usecases.control.history import Happened
from kairos.usecases.control.history import history as usecase

app = typer.Typer(rich_markup_mode=None)


@app.command()
def history(
    activity: Annotated[str | None, typer.Argument(help="An activity or a journey; else how each stands now.")] = None,
    store: RuleStore = None,
) -> None:
    """Tell what became of an activity: submitted, approved, published, paused and so on, by whom and why. Without a
    name: how every activity of the newest release stands, and since when it is paused.

    \b
    Examples:
      kairos history
      kairos history cart_left
    """
    with told():
        target = rule_store(store)
        acting(target).need("look")
        lines = _standing(activities(target, now())) if activity is None else map(_line, usecase(target, activity))
        for line in lines:
            sys.stdout.write(fitted(line, hang=25) + "\n")


def _line(happened: Happened) -> str:
    more = f": {escape(happened.more)}" if happened.more else ""
    return f"{_at(happened.at)}  {happened.what:<10} by {escape(happened.who or '-')}{more}"


def _standing(found: Sequence[ActivityState]) -> Iterator[str]:
    """What the switch says where it is what stops the activity, else what its release says."""
    width = max((len(each.name) for each in found), default=0)
    for each in found:
        turn, later = each.switch, each.foreseen
        told_of = f"{each.name.ljust(width)}  {each.state:<8}"
        if turn is not None and turn.state != "live":
            why = f": {escape(turn.reason)}" if turn.reason else ""
            told_of += f"  since {_at(turn.since)}, by {escape(turn.by)}{why}"
        elif each.by_file != "live":
            told_of += "  its release says so"
        if later is not None:
            told_of += f"; {later.state} from {_at(later.since)}: {escape(later.reason)}"
        yield told_of.rstrip()


def _at(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
