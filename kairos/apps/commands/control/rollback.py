"""`kairos rollback`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.control.database import Control
from kairos.apps.commands.control.releasing import (
    Expect,
    as_expected,
    count_reach,
    emergency_of,
    show_standings,
    write_release,
)
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import Conf, Everyone
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.change import show_change
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import paint, say
from kairos.usecases.control import approvals
from kairos.usecases.control.history import release
from kairos.usecases.rules.publish import propose, standing

app = typer.Typer(rich_markup_mode=None)


@app.command()
def rollback(
    number: Annotated[int, typer.Argument(metavar="N", help="The release whose content is to hold again.")],
    store: RuleStore = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    expect: Expect = None,
    profiles: Everyone = None,
    conf: Conf = Path("conf/embedded.yaml"),
    author: Annotated[str | None, typer.Option(help="Who does it; else the system's user name.")] = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Although it is not approved; it pauses after a day if nobody does.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why it cannot wait; with --emergency.")] = None,
    submit: Annotated[
        bool, typer.Option("--submit", help="Ask those to agree who have to; then roll back once more.")
    ] = False,
) -> None:
    """Publish the content of an earlier release as a new one; the plan says what becomes of matches in flight.

    A blast that it lets out is counted, and needs --expect as it does with `kairos publish`.

    \b
    Examples:
      kairos rollback 11 --dry-run
      kairos rollback 11 --submit
      kairos rollback 11 --emergency --reason "12 writes to everybody"
    """
    with told():
        target = rule_store(store)
        actor, before = acting(target, author), standing(target)
        rules = release(target, number).rules
        proposal = propose(before, rules, now(), accept_cold=True)
        show_change(proposal.change, before.previous, {})
        if proposal.idle:
            sys.stdout.write("nothing to publish\n")
            return
        reach = count_reach(proposal, profiles, conf)
        fits = as_expected(proposal, reach, expect)
        if submit:
            with Control(target) as control:
                show_standings(approvals.submit(control, proposal, reach.people, actor, now()))
        elif dry_run:
            sys.stdout.write("not published (--dry-run)\n")
        elif not fits:
            sys.stdout.write(paint("not published", "error", sys.stdout) + "\n")
            raise typer.Exit(1)
        else:
            write_release(proposal, target, None, actor, reach, expect, emergency_of(emergency, reason))
            say("the rule folder still has what was taken back: change it there, or the next publish brings it back")
