"""`kairos plans`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment
from kairos.apps.view import plans as view
from kairos.apps.view.errors import told
from kairos.apps.view.failures import tell_failure
from kairos.apps.view.findings import show_findings
from kairos.apps.view.terminal import fail, say
from kairos.engine.plan.choose import WORTH, Choose
from kairos.engine.plan.plan import Library as PlanLibrary
from kairos.usecases.errors import InvalidRulesError
from kairos.usecases.rules import plan_upgrades as upgrading
from kairos.usecases.rules import plans as usecase
from kairos.usecases.rules.new_activity import FailedExampleError

app = typer.Typer(rich_markup_mode=None)

LIBRARY = Path("plans")
RULES = Path("rules")
Library = Annotated[Path, typer.Option("--plans", help="The folder of the library.")]
Rules = Annotated[Path, typer.Option("--rules", help="The rule folder.")]
Name = Annotated[str, typer.Argument(metavar="PLAN", help="A plan of the library.")]
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="How to print it.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter, as often as needed; empty: none.")
]


@app.callback(invoke_without_command=True)
def plans(context: typer.Context, plans: Library = LIBRARY, rules: Rules = RULES, format: Format = "table") -> None:
    """The plan library: ready activities and journeys, with parameters, tests, and what they have brought.

    Without a sub-command: all plans, and what each lacks in this rule folder. A plan with errors is named, exit 1.

    \b
    Examples:
      kairos plans
      kairos plans show first_purchase
      kairos plans use first_purchase --set goal=60d --as second_purchase
      kairos plans diff
    """
    if context.invoked_subcommand is not None:
        return
    with told():
        library = usecase.library(plans)
        found = usecase.entries(library, usecase.folder_rules(rules))
    sys.stdout.write(view.list_json(found) if format == "json" else view.list_table(found))
    show_findings(plans, library.findings, sys.stderr)
    if library.failed:
        raise typer.Exit(1)


@app.command()
def show(name: Name, plans: Library = LIBRARY, rules: Rules = RULES) -> None:
    """What a plan is for, its parameters, what it takes and what it brought; and the file that it becomes.

    \b
    Example:
      kairos plans show first_purchase
    """
    with told():
        plan = usecase.plan_of(plans, name)
        (entry,) = usecase.entries(PlanLibrary({name: plan}), usecase.folder_rules(rules))
    sys.stdout.write(view.told(entry))


@app.command()
def use(
    name: Name,
    settings: Settings = None,
    as_: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Its name here. Default: the plan's.")] = None,
    theme: Annotated[str | None, typer.Option(help="The folder of its file. Default: the plan's.")] = None,
    choose: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=A,B,C", help="A parameter chosen for each user: an activity for each value."),
    ] = None,
    matching: Annotated[str | None, typer.Option(help="The group of policy.yaml in which they compete.")] = None,
    worth: Annotated[str, typer.Option(help="What one is worth there; {$: name} is the parameter's value.")] = WORTH,
    plans: Library = LIBRARY,
    rules: Rules = RULES,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the files and write none.")] = False,
) -> None:
    """Make an activity or a journey of a plan: a draft with its examples and texts, linted and tested.

    Overwrites nothing. Metrics and crowds are added to their files, which stay as they are otherwise.

    \b
    Examples:
      kairos plans use first_purchase --set goal=60d --as second_purchase
      kairos plans use tier_reached --rules examples/playbooks
    """
    with told(), _told_of_what_is_made(rules):
        among = {key: value.split(",") for key, value in _settings(choose, "--choose").items()}
        asked = usecase.Use(_settings(settings), as_, theme, Choose(among, matching, worth))
        change = usecase.use(rules, usecase.plan_of(plans, name), asked)
        made = [] if dry_run else usecase.put(rules, change)
    for path in made:
        sys.stdout.write(f"{rules / path}\n")
    if dry_run:
        sys.stdout.write(view.files(change.files))
    _say_left(rules, change.left)
    for text, called in change.called.items():
        say(f"another text is called {text} here: the plan's is {called}")


@app.command()
def diff(
    name: Annotated[str | None, typer.Argument(metavar="[ACTIVITY]", help="Only this one.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write it: all that is shown, what was edited too.")] = False,
    plans: Library = LIBRARY,
    rules: Rules = RULES,
) -> None:
    """Of what came from plans: which plan says something else by now, and what would change. Exit 1 if there is any.

    The parameters stay as they were put in, and so does what the plan says nothing of: state, owner, dates.

    \b
    Examples:
      kairos plans diff
      kairos plans diff second_purchase --apply
    """
    with told():
        found = upgrading.upgrades(rules, usecase.library(plans))
    if name is not None and name not in (names := [one.name for one in found]):
        fail(f"{name} came from no plan; {', '.join(names) or 'nothing'} did")
    chosen = [one for one in found if name in (None, one.name)]
    for one in chosen:
        sys.stdout.write(view.upgrade(one))
    offered = [one for one in chosen if one.offered]
    for one in offered if apply else []:
        with told(), _told_of_what_is_made(rules):
            change = upgrading.upgrade(rules, one)
            for path in usecase.put(rules, change):
                sys.stdout.write(f"{rules / path}\n")
        _say_left(rules, change.left)
    raise typer.Exit(1 if offered and not apply else 0)


@app.command()
def evidence(
    warehouse: Annotated[Path | None, typer.Option(help="Its folder; else --conf's, else the data folder's.")] = None,
    as_of: Annotated[str | None, typer.Option(help=f"What was known then: {TIME}. Default: the newest event.")] = None,
    engine: Annotated[str, typer.Option(help="duckdb, or the URL of a Trino.")] = "duckdb",
    plans: Library = LIBRARY,
    rules: Rules = RULES,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and write nothing.")] = False,
) -> None:
    """Measure what the activities that came from each plan brought; write it into the plans.

    The lift on the goal, over all epochs, with its interval. `kairos learn` begins with it where an activity is new.

    \b
    Examples:
      kairos plans evidence && kairos learn
    """
    from kairos.usecases.results.evidence import find_evidence, keep_evidence  # statistics take long to import

    with told():
        library = usecase.library(plans)
        rule_set, loaded = valid_rules(rules)
        known = moment(as_of, "--as-of", ZoneInfo(rule_set.policy.timezone))
        found = find_evidence(warehouse or default_warehouse(), rule_set, loaded.measures, known, engine)
        changed = [] if dry_run else keep_evidence(plans, library.plans, found)
    sys.stdout.write(view.evidence_table(found))
    for path in changed:
        say(f"{path}: written")


def _settings(given: list[str] | None, option: str = "--set") -> dict[str, str]:
    settings = {}
    for one in given or []:
        name, equals, value = one.partition("=")
        if not equals:
            fail(f"{option} {one}: expected NAME=VALUE, such as wait=15m")
        settings[name] = value
    return settings


def _say_left(rules: Path, left: list[str]) -> None:
    for path in left:
        say(f"{rules / path} is there already and says something else: it stays")


@contextmanager
def _told_of_what_is_made(rules: Path) -> Iterator[None]:
    """What is wrong with files that would be written."""
    try:
        yield
    except InvalidRulesError as error:
        show_findings(Path(error.folder), error.findings, sys.stderr)
        raise typer.Exit(1) from None
    except FailedExampleError as error:
        for failed in error.failed:
            say(tell_failure(rules, failed, sys.stderr))
        raise typer.Exit(1) from None
