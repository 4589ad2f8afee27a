"""`kairos scores fit | build`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.acting import Log, writing
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment, now
from kairos.apps.view.errors import told
from kairos.apps.view.measures import table_lines
from kairos.apps.view.screen import table_width
from kairos.apps.view.terminal import count, escape, progress_bar, say

if TYPE_CHECKING:
    from kairos.usecases.people.scores import Fitted

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Warehouse = Annotated[Path | None, typer.Option(help="Its folder; else --conf's, else the data folder's.")]
Rules = Annotated[Path, typer.Option(help="The rule folder, with scores.yaml.")]
AsOf = Annotated[str | None, typer.Option(help=f"What was known then: {TIME}. Default: the newest event.")]
EngineName = Annotated[str, typer.Option(help="duckdb, or the URL of a Trino.")]
Format = Annotated[Literal["table", "json"], typer.Option(help="How to print it.")]


@app.callback()
def scores() -> None:
    """Numbers about users that a model finds or a table has; rules read them as `profile.score_<name>`.

    \b
    Examples:
      kairos scores fit churn
      kairos scores build
    """


@app.command("fit")
def fit_command(
    name: Annotated[str, typer.Argument(help="A score of scores.yaml; or mbg_nbd, bg_nbd, clv, ... without one.")],
    warehouse: Warehouse = None,
    rules: Rules = Path("rules"),
    as_of: AsOf = None,
    engine: EngineName = DUCKDB,
    format: Format = "table",
) -> None:
    """Fit a model and show its parameters, and how well it foretells. Nothing is written.

    \b
    Examples:
      kairos scores fit mbg_nbd
      kairos scores fit churn --as-of 2026-12-01T00:00Z --format json
    """
    from kairos.usecases.people.scores import fit_score, named, open_sources

    with told():
        rule_set, loaded = valid_rules(rules)
        wanted = moment(as_of, "--as-of", ZoneInfo(rule_set.policy.timezone))
        with open_sources(warehouse or default_warehouse(), rule_set, loaded, rules, engine) as sources:
            fitted = fit_score(sources, name, named(name, loaded.scores, rule_set.crowds), sources.as_of(wanted))
    if format == "json":
        sys.stdout.write(json.dumps(_plain(fitted), indent=1) + "\n")
    else:
        _show(fitted)


@app.command("build")
def build_command(
    names: Annotated[list[str] | None, typer.Argument(help="Scores of scores.yaml; default: all.")] = None,
    warehouse: Warehouse = None,
    rules: Rules = Path("rules"),
    as_of: AsOf = None,
    engine: EngineName = DUCKDB,
    redis: Annotated[str | None, typer.Option(help="Write them into the profiles in this Redis.")] = None,
    profiles: Annotated[Path | None, typer.Option(help="Write them into this file of profiles (JSON).")] = None,
    store: Log = None,
) -> None:
    """Work scores out for everybody: into the warehouse's table `scores`, and into profiles, where rules read them.

    \b
    Examples:
      kairos scores build
      kairos scores build churn --redis redis://127.0.0.1:16379/0
    """
    from kairos.usecases.people.score_store import build, profile_writer

    with told():
        rule_set, loaded = valid_rules(rules)
        wanted = moment(as_of, "--as-of", ZoneInfo(rule_set.policy.timezone))
        folder, write = warehouse or default_warehouse(), profile_writer(redis, profiles)
        built = build(
            folder, rule_set, loaded, rules, names or list(loaded.scores), wanted, write, engine, progress_bar,
            actor=writing(store), now=now(), log=store,
        )  # fmt: skip
    for score, users in built.users.items():
        say(f"{escape(score)}: {count(users, 'user')}")
    if write is not None:
        say(f"{count(built.profiles, 'profile')} written")


def _plain(fitted: Fitted) -> dict[str, Any]:
    return {
        "score": fitted.score,
        "model": fitted.model,
        "as_of": fitted.as_of,
        "n": fitted.n,
        "parameters": fitted.parameters,
        "quality": fitted.quality,
        "values": fitted.values,
    }


def _show(fitted: Fitted) -> None:
    lines = [f"{fitted.score}: {fitted.model}, {count(fitted.n, 'user')}"]
    lines += [f"  {name:<20} {value:.4g}" for name, value in fitted.parameters.items()]
    for name, value in fitted.quality.items():
        if isinstance(value, dict):
            lines += [f"  {name}", *table_lines([value], table_width())]
        elif value is not None:
            lines.append(f"  {name:<20} {value:,.2f}")
    values = sorted(fitted.values.values())
    if values:
        lines.append(f"  {'values':<20} {values[0]:.4g} to {values[-1]:.4g}, median {values[len(values) // 2]:.4g}")
    sys.stdout.write("\n".join(lines) + "\n")
