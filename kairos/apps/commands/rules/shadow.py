"""`kairos shadow`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.decoding import UnreadableError
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.moments import moment
from kairos.apps.inputs.sides import Out, Since, Until
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.comparison import write_differences
from kairos.apps.view.errors import told
from kairos.apps.view.shadow import ShadowForm, show_shadow
from kairos.apps.view.terminal import escape, fail
from kairos.usecases.errors import reason_of
from kairos.usecases.rules.shadow import compare_shadow, on_trial

app = typer.Typer(rich_markup_mode=None)


@app.command()
def shadow(
    activity: Annotated[str, typer.Argument(help="The activity that has a shadow, or is one.")],
    store: RuleStore = None,
    warehouse: Annotated[
        Path | None, typer.Option(help="Whose decisions are compared; else --conf's, else the data folder's.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option(help="A file or folder of decisions, JSON lines, in place of the warehouse.")
    ] = None,
    since: Since = None,
    until: Until = None,
    out: Out = None,
    form: Annotated[ShadowForm, typer.Option("--format")] = "table",
) -> None:
    """Tell what is on trial beside a live activity has decided otherwise: all together, and day by day.

    It is the comparison of `kairos compare`, of what the job has decided: A is what went out, B what is on trial. Every
    send of B counts as delivered. Exits with 0 without differences, 1 with some, 2 where it could not compare.

    \b
    Examples:
      kairos shadow cart_left
      kairos shadow cart_left --from 2026-11-01 --format json
    """
    with told():
        tried = on_trial(rule_store(store), activity)
        zone = ZoneInfo(tried.a.policy.timezone)
        start, end = moment(since, "--from", zone), moment(until, "--to", zone)
        try:
            found = compare_shadow(tried, warehouse or default_warehouse(), decisions, start, end)
        except UnreadableError as error:
            fail(f"{escape(str(decisions))}: {error}")
        except OSError as error:
            fail(f"{escape(str(error.filename or decisions))}: {reason_of(error)}")
    if out is not None:
        write_differences(out, found.comparison.differences)
    show_shadow(found, form)
    raise typer.Exit(1 if found.comparison.differences else 0)
