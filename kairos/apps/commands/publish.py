"""`kairos publish`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.rule_files import read_folder
from kairos.adapters.rule_store import BrokenReleaseError, RuleStore, RuleStoreError, open_rule_store
from kairos.apps.author import user_name
from kairos.apps.console import escape, fail, paint, say
from kairos.apps.event_input import EventInput
from kairos.apps.failure_report import tell_failure
from kairos.apps.native.settings import data_folder
from kairos.apps.rule_folder import count, show_findings, valid_rules
from kairos.engine.rehearse import rehearse
from kairos.engine.rule.load import Loaded, load
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.plan import ActivityChange, MetricStart, PublishPlan, plan_release
from kairos.engine.rule.release import Release
from kairos.engine.rule.succession import Seeding
from kairos.engine.seeding import seed_metrics

app = typer.Typer(rich_markup_mode=None)

_SIGNS = {"new": ("+", "added"), "changed": ("~", "warning"), "removed": ("-", "removed")}


@app.command()
def publish(
    rules: Annotated[Path, typer.Argument(help="The rule folder.")],
    store: Annotated[
        str | None,
        typer.Option(
            envvar="KAIROS_RULE_STORE",
            help="A database address, or a folder that the job watches; else rules.db in the data folder.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    accept_cold: Annotated[
        bool, typer.Option("--accept-cold", help="Publish although metrics that are read are not complete yet.")
    ] = False,
    seed: Annotated[
        Path | None,
        typer.Option(help="Past events, all there are: new metrics start from what they come to over them."),
    ] = None,
    author: Annotated[str | None, typer.Option(help="Who publishes; else the system's user name.")] = None,
) -> None:
    """Lint, test, show what changes, then write a new release to the rule store.

    The plan says for every activity what happens to matches in flight, and from when each metric is complete. Nothing
    is written when there is an error, a failing example, or something that the plan refuses (exit 1).

    \b
    Examples:
      kairos publish rules/ --dry-run
      kairos publish rules/ --seed history.jsonl.gz
      kairos publish rules/ --store mysql+pymysql://user@host/kairos
    """
    rule_set, loaded = valid_rules(rules)
    show_findings(rules, loaded.findings, sys.stderr)
    _test(rules, rule_set, loaded)
    target, previous, number = _open(store or _default_store())
    now = time.time_ns() // 1_000_000
    seeding = _seed(seed, previous, rule_set, now) if seed else None
    plan = plan_release(previous, rule_set, now, number, accept_cold, seeding)
    _show(plan, previous)
    if seeding is not None:
        _show_seeding(seeding)
    if plan.refusals:
        sys.stdout.write(paint("not published", "error", sys.stdout) + "\n")
        raise typer.Exit(1)
    if plan.empty:
        sys.stdout.write("nothing to publish\n")
    elif dry_run:
        sys.stdout.write("not published (--dry-run)\n")
    else:
        _write(target, plan.release, rules, author or user_name())


def _test(path: Path, rules: RuleSet, loaded: Loaded) -> None:
    failures = [(file, failure) for _, file in sorted(loaded.tests.items()) for failure in rehearse(rules, file)]
    for file, failure in failures:
        say(tell_failure(path, file, failure, sys.stderr))
    if failures:
        say(f"not published: {count(len(failures), 'example')} failed")
        raise typer.Exit(1)


def _seed(path: Path, previous: Release | None, rules: RuleSet, now: int) -> Seeding:
    past = EventInput(path, rules.sources)
    return seed_metrics(previous, rules, past.events, now, past.report_duplicate)


def _show_seeding(seeding: Seeding) -> None:
    for key, users in seeding.seeds.items():
        name = key.partition("@")[0]
        sys.stdout.write(
            f"  metric {name}: seeded for {count(len(users), 'user')}, events since {_utc(seeding.since)}\n"
        )


def _open(where: str) -> tuple[RuleStore, Release | None, int]:
    """The store, its last good release, and the number of the next one. A folder that is not there yet is empty."""
    try:
        store = open_rule_store(where)
        if "://" not in where and not Path(where).exists():
            return store, None, 1
        newest = 0
        while True:
            try:
                previous = store.latest(0)
                return store, previous, max(newest, previous.number if previous else 0) + 1
            except BrokenReleaseError as error:
                say(f"{paint('warning:', 'warning', sys.stderr)} {escape_lines(str(error))}")
                newest = max(newest, error.number)
    except RuleStoreError as error:
        fail(escape_lines(str(error)))


def _write(target: RuleStore, release: Release, path: Path, author: str) -> None:
    files = {name: content for name, content in read_folder(path).items() if isinstance(content, bytes)}
    if load(files).rules != release.rules:
        fail(f"the rules in {escape(str(path))} were changed meanwhile: look at the new plan first")
    try:
        target.publish(release, files, author)
    except RuleStoreError as error:
        fail(escape_lines(str(error)))
    sys.stdout.write(paint(f"published release {release.number}", "good", sys.stdout) + "\n")


def _show(plan: PublishPlan, previous: Release | None) -> None:
    write = sys.stdout.write
    after = f"after release {previous.number}" if previous else "the first"
    write(f"release {plan.release.number}, {after}\n")
    for change in plan.changes:
        write(_tell_change(change) + "\n")
    for other in plan.others:
        write(f"  ~ {other}\n")
    for metric in plan.metrics:
        write(f"  {_tell_metric(metric)}\n")
    for refusal in plan.refusals:
        write(paint(f"  refused: {refusal}", "error", sys.stdout) + "\n")


def _tell_change(change: ActivityChange) -> str:
    sign, style = _SIGNS[change.kind]
    fields = f" ({'; '.join(change.fields)})" if change.fields else ""
    head = paint(f"  {sign} {change.activity}", style, sys.stdout) + f": {change.kind}{escape(fields)}"
    return head if change.kind == "new" else f"{head}\n      matches in flight: {change.in_flight}"


def _tell_metric(metric: MetricStart) -> str:
    complete = f"complete from {_utc(metric.complete_from)}" if metric.complete_from else "complete only when seeded"
    readers = f"; read by {', '.join(metric.readers)}" if metric.readers else ""
    return f"metric {metric.metric}: counts since {_utc(metric.since)}, {complete}{readers}"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _default_store() -> str:
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    store = f"sqlite:///{folder / 'rules.db'}"
    say(f"the rule store is {store}")
    return store


def escape_lines(text: str) -> str:
    return "\n".join(escape(line) for line in text.splitlines())
