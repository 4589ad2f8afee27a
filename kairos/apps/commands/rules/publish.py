"""`kairos publish`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.commands.control.releasing import (
    Expect,
    approval_standings,
    as_expected,
    count_reach,
    emergency_of,
    files_of,
    show_standings,
    write_release,
)
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.files import read_events, valid_rules
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import Conf, Everyone
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.change import People, show_change, show_seeding
from kairos.apps.view.comparison import show_table
from kairos.apps.view.errors import told
from kairos.apps.view.failures import tell_failures
from kairos.apps.view.findings import show_findings
from kairos.apps.view.terminal import count, escape, escape_lines, fail, paint, progress_bar, say
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.changes.change import Change
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from kairos.engine.rule.text.scalars import parse_duration, short_duration
from kairos.errors import KairosError
from kairos.usecases.rules.publish import propose, standing
from kairos.usecases.rules.rehearse import rehearse_all
from kairos.usecases.rules.release_backtest import release_backtest
from kairos.usecases.rules.standing import people_standing

app = typer.Typer(rich_markup_mode=None)

_EXAMPLES = 3
"""Differences of a cause that are shown."""


@app.command()
def publish(
    rules: Annotated[Path, typer.Argument(help="The rule folder.")],
    store: RuleStore = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    accept_cold: Annotated[
        bool, typer.Option("--accept-cold", help="Publish although metrics that are read are not complete yet.")
    ] = False,
    seed: Annotated[
        Path | None,
        typer.Option(help="Past events, all there are: new metrics start from what they come to over them."),
    ] = None,
    author: Annotated[str | None, typer.Option(help="Who publishes; else the system's user name.")] = None,
    warehouse: Annotated[
        Path | None, typer.Option(help="Whose last 30 days are compared; else --conf's, else the data folder's.")
    ] = None,
    expect: Expect = None,
    shadows: Annotated[
        Path | None, typer.Option(help="A rule folder whose activities may be named as `shadow`, by their version.")
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            help="Such as 1h: over so long the scheduler has everyone inside a journey that was edited looked "
            "at, so that a shorter wait ends before their next event."
        ),
    ] = None,
    profiles: Everyone = None,
    conf: Conf = Path("conf/embedded.yaml"),
    no_backtest: Annotated[
        bool, typer.Option("--no-backtest", help="Leave out what the change would have done.")
    ] = False,
    emergency: Annotated[
        bool,
        typer.Option("--emergency", help="Although it is not approved; it pauses after a day if nobody does."),
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why it cannot wait; with --emergency.")] = None,
) -> None:
    """Lint, test, show what changes, then write a new release to the rule store.

    The plan says for every activity what happens to matches in flight, and from when each metric is complete; and with
    a warehouse, what the change would have done in its last 30 days. Nothing is written when there is an error, a
    failing example, or something that the plan refuses (exit 1). What goes to many at once (`schedule: {at: ...}`) is
    counted, and needs --expect. Where there is a workflow.yaml, what is not approved is not published (kairos submit).

    \b
    Examples:
      kairos publish rules/ --dry-run
      kairos publish rules/ --seed history.jsonl.gz
      kairos publish rules/ --sweep 1h
      kairos publish rules/ --store mysql+pymysql://user@host/kairos
    """
    with told():
        rule_set, loaded = valid_rules(rules)
        show_findings(rules, loaded.findings, sys.stderr)
        _test(rules, rule_set, loaded)
        target = rule_store(store)
        actor = acting(target, author)
        before = standing(target)
        for problem in before.broken:
            say(f"{paint('warning:', 'warning', sys.stderr)} {escape_lines(problem)}")
        past = read_events(seed, rule_set.sources) if seed else None
        tried = valid_rules(shadows)[0] if shadows else None
        proposal = propose(before, rule_set, now(), past, accept_cold=accept_cold, tried=tried, sweep=_window(sweep))
        change = proposal.change
        places = warehouse or default_warehouse()
        show_change(change, before.previous, _standing(places, before.previous, change))
        if proposal.seeding is not None:
            show_seeding(proposal.seeding)
        if sweep is not None:
            sys.stdout.write(_tell_sweep(change.release.sweep))
        reach = count_reach(proposal, profiles, conf)
        fits = as_expected(proposal, reach, expect)
        if change.refusals or not (fits or dry_run):
            sys.stdout.write(paint("not published", "error", sys.stdout) + "\n")
            raise typer.Exit(1)
        if not change.empty and not no_backtest and before.previous is not None:
            _show_backtest(places, before.previous, change.release, target, loaded.measures)
        if proposal.idle:
            sys.stdout.write("nothing to publish\n")
        elif dry_run:
            show_standings(approval_standings(target, proposal, reach, now()))
            sys.stdout.write("not published (--dry-run)\n")
        else:
            write_release(proposal, target, files_of(rules), actor, reach, expect, emergency_of(emergency, reason))


def _window(sweep: str | None) -> int:
    """In ms; 0: nobody is looked at."""
    length = parse_duration(sweep) if sweep is not None else 0
    if length is None or (sweep is not None and not length):
        fail(f"--sweep {escape(str(sweep))}: expected a duration such as 1h")
    return length


def _tell_sweep(window: int) -> str:
    if not window:
        return "  nobody is looked at: no step of a journey was touched\n"
    return f"  everyone known is looked at within {short_duration(window)} (kairos scheduler)\n"


def _test(path: Path, rules: RuleSet, loaded: Loaded) -> None:
    failed = rehearse_all(rules, loaded.tests).failed
    for told_of in tell_failures(path, failed, sys.stderr):
        say(told_of)
    if failed:
        say(f"not published: {count(len(failed), 'example')} failed")
        raise typer.Exit(1)


def _standing(warehouse: Path, before: Release | None, change: Change) -> People:
    """A warehouse that cannot answer is said, and keeps nobody from publishing."""
    touched = [each.activity for each in change.changes if each.touched]
    if before is None or not touched:
        return {}
    try:
        return people_standing(warehouse, before.rules, touched, now())
    except KairosError as error:
        say(f"how many people wait at each step cannot be told: {escape_lines(str(error))}")
        return {}


def _show_backtest(warehouse: Path, before: Release, after: Release, store: str, measures: Measures) -> None:
    """A warehouse that cannot answer is said, and keeps nobody from publishing."""
    try:
        found = release_backtest(warehouse, before, after, store, measures, progress=progress_bar)
    except KairosError as error:
        say(f"what it would have done cannot be told: {escape_lines(str(error))}")
        return
    if found is not None:
        sys.stdout.write("\nwhat it would have done in the last 30 days of the warehouse\n")
        show_table(found.a, found.b, found.compared, _EXAMPLES, found.rates)
        sys.stdout.write("\n")
