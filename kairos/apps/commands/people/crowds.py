"""`kairos crowds`."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.warehouse.crowd_files import Build
from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.crowds.follow import follow
from kairos.apps.crowds.places import folder_of, places_of
from kairos.apps.inputs.acting import writing
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment
from kairos.apps.process import on_stop
from kairos.apps.view import crowds as view
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, progress_bar, say
from kairos.engine.crowd.guard import LIVE, Waivers
from kairos.usecases.crowds import look
from kairos.usecases.crowds.build import build_crowds
from kairos.usecases.crowds.by_hand import import_crowd
from kairos.usecases.crowds.places import Places

app = typer.Typer(rich_markup_mode=None)

Format = Literal["table", "json"]
Warehouse = Annotated[Path | None, typer.Option(help="The warehouse's folder; else --conf's, else the data folder's.")]
Rules = Annotated[Path, typer.Option(help="The rule folder, with crowds.yaml.")]
Format_ = Annotated[Format, typer.Option("--format", help="How to print it.")]
Conf = Annotated[
    Path | None, typer.Option(help="Of the job that looks at them: warehouse, Redis, Kafka. Without it, a file beside.")
]
Engine = Annotated[str, typer.Option(help="duckdb, or the URL of a Trino.")]
AsOf = Annotated[str | None, typer.Option(help=f"What was known then: {TIME}. Default: now.")]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="Nobody may be in it, this once.")]
AcceptChange = Annotated[bool, typer.Option("--accept-change", help="It may change as much as it does, this once.")]
Name = Annotated[str, typer.Argument(help="A kept crowd of crowds.yaml.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Kept crowds of crowds.yaml.")]
RULES = Path("rules")


@app.callback(invoke_without_command=True)
def crowds(
    context: typer.Context,
    warehouse: Warehouse = None,
    rules: Rules = RULES,
    conf: Conf = None,
    format: Annotated[
        Literal["table", "json", "metrics"], typer.Option("--format", help="How; `metrics`: for Prometheus.")
    ] = "table",
) -> None:
    """Kept crowds: their snapshots, how old they are, and when each is due again.

    \b
    Examples:
      kairos crowds
      kairos crowds build lapsing_buyers --as-of 2024-06-29T00:00Z
      kairos crowds show lapsing_buyers
      kairos crowds overlap lapsing_buyers worth_a_call
    """
    if context.invoked_subcommand is not None:
        return
    with told():
        found = look.standings(_places(warehouse, rules, conf=conf), _now())
    if format == "json":
        sys.stdout.write(view.as_json(map(view.standing_row, found)))
    else:
        sys.stdout.write(view.as_metrics(found) if format == "metrics" else view.standings_table(found))


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Default: all of them.")] = None,
    as_of: AsOf = None,
    due: Annotated[bool, typer.Option("--due", help="Only those that are due.")] = False,
    stay: Annotated[bool, typer.Option("--follow", help="With --due: stay, and look again each minute.")] = False,
    allow_empty: AllowEmpty = False,
    accept_change: AcceptChange = False,
    warehouse: Warehouse = None,
    rules: Rules = RULES,
    engine: Engine = DUCKDB,
    conf: Conf = None,
    format: Format_ = "table",
) -> None:
    """Compute crowds in the warehouse and put each before the job, so that everybody sees it at once.

    A snapshot that is more likely a mistake is refused, and the one before stays: exit 1. What is due is built without
    a token; anything else takes the right to write where the rule store of --conf has users.

    \b
    Examples:
      kairos crowds build
      kairos crowds build --due --follow --conf conf/local.yaml
      kairos crowds build --due --conf conf/local.yaml    once a minute
      kairos crowds build lapsing_buyers --accept-change
    """
    waivers = Waivers(empty=allow_empty, change=accept_change)

    def once(wanted: list[str], *, quiet: bool = False) -> bool:
        """Whether all that was built is live. The rules are read anew."""
        rule_set, _ = valid_rules(rules)
        at = moment(as_of, "--as-of", ZoneInfo(rule_set.policy.timezone))
        places = _places(warehouse, rules, engine, conf)
        if due:
            wanted = [s.crowd for s in look.standings(places, _now()) if s.is_due(at or _now())]
        mine = not due or at is not None or waivers != Waivers()
        actor = writing(places.log) if mine else None  # what the rules themselves ask for takes nobody's right
        wants = bool(wanted) or not due
        found = list(build_crowds(places, wanted, at, _now, waivers, progress_bar, actor)) if wants else []
        numbers = {s.crowd: s.live.n for s in look.standings(places, _now()) if s.live is not None}
        rows = [view.build_row(row, numbers.get(row.crowd)) for row in found]
        if rows or not quiet:
            sys.stdout.write(view.as_json(rows) if format == "json" else view.as_table(rows))
            _say_why(found)
        return all(row.status == LIVE for row in found)

    with told():
        if stay:
            if not due or as_of is not None:
                fail("--follow goes with --due, and without --as-of")
            stop = threading.Event()
            on_stop(stop.set)
            follow(lambda: once([], quiet=True), stop.wait, say)
        elif not once(names or []):
            raise typer.Exit(1)


def _say_why(builds: Iterable[Build]) -> None:
    """What was refused, and what lets it pass."""
    for build in builds:
        if build.status in view.WHY:
            say(f"{build.crowd}: {view.WHY[build.status]}")
    sys.stdout.flush()


@app.command("import")
def import_command(
    name: Name,
    file: Annotated[Path, typer.Argument(help="CSV with a column user_id, or a user id a line.")],
    allow_empty: AllowEmpty = False,
    accept_change: AcceptChange = False,
    warehouse: Warehouse = None,
    rules: Rules = RULES,
    conf: Conf = None,
    format: Format_ = "table",
) -> None:
    """Make a list of users the next snapshot of a crowd that is kept by hand.

    \b
    Example:
      kairos crowds import staff staff.csv
    """
    with told():
        places = _places(warehouse, rules, DUCKDB, conf)
        waivers = Waivers(empty=allow_empty, change=accept_change)
        found = import_crowd(places, name, file, writing(places.log), _now, waivers, progress_bar)
    row = view.build_row(found, None)
    sys.stdout.write(view.as_json([row]) if format == "json" else view.as_table([row]))
    _say_why([found])
    if found.status != LIVE:
        raise typer.Exit(1)


@app.command()
def export(names: Names, warehouse: Warehouse = None, rules: Rules = RULES, conf: Conf = None) -> None:
    """Who is in a crowd: the user ids of the live snapshot, one a line, sorted. Of several: who is in all of them.

    \b
    Examples:
      kairos crowds export lapsing_buyers > lapsing_buyers.txt
      kairos crowds export lapsing_buyers window_shoppers
    """
    with told():
        for user in look.members(_places(warehouse, rules, conf=conf), names):
            sys.stdout.write(f"{user}\n")


@app.command()
def overlap(
    names: Names,
    warehouse: Warehouse = None,
    rules: Rules = RULES,
    conf: Conf = None,
    format: Format_ = "table",
) -> None:
    """How many users crowds share, two by two; each with itself: its size. `kairos crowds export A B` says who.

    \b
    Example:
      kairos crowds overlap lapsing_buyers staff
    """
    with told():
        matrix = look.overlap(_places(warehouse, rules, conf=conf), names)
    if format == "json":
        sys.stdout.write(json.dumps({"crowds": names, "matrix": matrix}) + "\n")
    else:
        sys.stdout.write(view.matrix_table(names, matrix))


@app.command()
def show(
    name: Name,
    warehouse: Warehouse = None,
    rules: Rules = RULES,
    conf: Conf = None,
    format: Format_ = "table",
) -> None:
    """A crowd: size and growth, what it shares with others, who is in it.

    \b
    Example:
      kairos crowds show lapsing_buyers
    """
    with told():
        found = look.portrait(_places(warehouse, rules, conf=conf), name, _now())
    if format == "json":
        sys.stdout.write(json.dumps(view.portrait_row(found), ensure_ascii=False, default=str) + "\n")
    else:
        sys.stdout.write(view.portrait_text(found))


def _places(warehouse: Path | None, rules: Path, engine: str = DUCKDB, conf: Path | None = None) -> Places:
    rule_set, loaded = valid_rules(rules)
    return places_of(warehouse or folder_of(conf) or default_warehouse(), rule_set, loaded.measures, engine, conf)


def _now() -> int:
    return time.time_ns() // 1_000_000
