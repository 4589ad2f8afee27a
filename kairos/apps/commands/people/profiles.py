"""`kairos profiles load`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.inputs.acting import Log, writing
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import redis_of_profiles
from kairos.apps.view.errors import told
from kairos.apps.view.findings import show_findings
from kairos.apps.view.terminal import escape, progress_bar, quote, say
from kairos.usecases.errors import InvalidRulesError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def profiles() -> None:
    """What is known of users: time zone, addresses, crowds.

    \b
    Example:
      kairos profiles load users.json
    """


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help=".csv or .parquet with a column user_id; .json: user id -> fields.")],
    url: Annotated[
        str | None, typer.Option("--redis", help="The Redis server; else --conf's, else the stack's.")
    ] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder whose profile.yaml has the types.")] = Path("rules"),
    store: Log = None,
) -> None:
    """Write profiles into Redis, where a live job looks them up. Those of other users stay as they are.

    A user's profile is replaced as a whole. Opt-outs stay, whatever the file says; dead addresses and lists where it
    says nothing of them. A row that is wrong is reported with its line and left out; exit 1 then.

    \b
    Examples:
      kairos profiles load .kairos/data/profiles.json
      kairos profiles load customers.csv \\
        --redis rediss://:$PASSWORD@redis.example.com:6380/0
    """
    from kairos.usecases.people.profiles import load_profiles

    def report(place: str, problem: str) -> None:
        sys.stderr.write(f"{escape(str(file))}:{escape(place)}: {quote(problem)}\n")

    with told():
        try:
            done = load_profiles(
                file, url or redis_of_profiles(), rules, report, progress_bar,
                actor=writing(store), now=now(), log=store,
            )  # fmt: skip
        except InvalidRulesError as error:
            show_findings(rules, error.findings, sys.stderr)
            raise typer.Exit(2) from None
    left = f", {done.reported:,} remarks" if done.reported else ""
    say(f"{done.written:,} profiles in {done.redis}{left}")
    if done.reported:
        raise typer.Exit(1)
