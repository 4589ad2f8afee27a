"""`kairos submit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.control.database import Control
from kairos.apps.commands.control.releasing import count_reach, show_standings
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import Conf, Everyone
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.change import show_change
from kairos.apps.view.errors import told
from kairos.apps.view.failures import tell_failures
from kairos.apps.view.findings import show_findings
from kairos.apps.view.terminal import count, escape_lines, progress_bar, say
from kairos.usecases.control.approvals import submit as usecase
from kairos.usecases.control.forecast import backtest_of, forecast_of
from kairos.usecases.rules.publish import propose, standing
from kairos.usecases.rules.rehearse import rehearse_all

app = typer.Typer(rich_markup_mode=None)


@app.command()
def submit(
    rules: Annotated[Path, typer.Argument(help="The rule folder.")],
    store: RuleStore = None,
    profiles: Everyone = None,
    conf: Conf = Path("conf/embedded.yaml"),
    author: Annotated[str | None, typer.Option(help="Who submits; else the system's user name.")] = None,
    warehouse: Annotated[
        Path | None,
        typer.Option(help="By whose last 30 days it is foretold; else --conf's, else the data folder's."),
    ] = None,
    no_backtest: Annotated[
        bool, typer.Option("--no-backtest", help="Leave out what the change would have done.")
    ] = False,
) -> None:
    """Ask those to agree who have to, as workflow.yaml says, before a change is published.

    What is approved is content: what the activity means, and what becomes of matches in flight. Any change of it has
    to be submitted anew; titles, owners and comments do not count. An approval lapses after 7 days. Reviewers read
    what would change, and what it would have done in the last 30 days of the warehouse.

    \b
    Examples:
      kairos submit rules/
    """
    with told():
        rule_set, loaded = valid_rules(rules)
        show_findings(rules, loaded.findings, sys.stderr)
        failed = rehearse_all(rule_set, loaded.tests).failed
        for told_of in tell_failures(rules, failed, sys.stderr):
            say(told_of)
        if failed:
            say(f"not submitted: {count(len(failed), 'example')} failed")
            raise typer.Exit(1)
        target = rule_store(store)
        actor, before = acting(target, author), standing(target)
        proposal = propose(before, rule_set, now(), accept_cold=True)
        show_change(proposal.change, before.previous, {})
        reach = count_reach(proposal, profiles, conf)
        places = None if no_backtest else warehouse or default_warehouse()
        forecast = forecast_of(lambda: backtest_of(proposal, places, target, loaded.measures, progress_bar))
        if forecast.unknown:
            say(f"what it would have done cannot be told: {escape_lines(forecast.unknown)}")
        with Control(target) as control:
            show_standings(usecase(control, proposal, reach.people, actor, now(), forecast=forecast))
