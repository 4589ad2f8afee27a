"""`kairos leads`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail, fitted
from kairos.engine.score.spec import GRADES
from kairos.usecases.people.leads import Lead, Wanted, leads

app = typer.Typer(rich_markup_mode=None)


@app.command("leads")
def command(
    grade: Annotated[list[str] | None, typer.Option(help="Only these grades: A, B, C, D.")] = None,
    at_least: Annotated[float | None, typer.Option(help="Only with so much interest.")] = None,
    most: Annotated[int, typer.Option(help="So many at most.")] = 50,
    warehouse: Annotated[Path | None, typer.Option(help="Its folder; else --conf's, else the data folder's.")] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder, with grades.yaml.")] = Path("rules"),
    as_of: Annotated[str | None, typer.Option(help=f"What was known then: {TIME}. Default: the newest event.")] = None,
    engine: Annotated[str, typer.Option(help="duckdb, or the URL of a Trino.")] = DUCKDB,
    format: Annotated[Literal["text", "json"], typer.Option(help="How to print it.")] = "text",
) -> None:
    """Who fits and is interested: by grade, then by interest, with the reasons of both.

    \b
    Examples:
      kairos leads --grade A --grade B --at-least 20
      kairos leads --format json
    """
    from kairos.usecases.people.scores import open_sources

    for name in grade or ():
        if name not in GRADES:
            fail(f"--grade {escape(name)}: expected {', '.join(GRADES)}")
    with told():
        rule_set, loaded = valid_rules(rules)
        known = moment(as_of, "--as-of", ZoneInfo(rule_set.policy.timezone))
        with open_sources(warehouse or default_warehouse(), rule_set, loaded, rules, engine) as sources:
            found = leads(sources, loaded.grades, Wanted(grade or (), at_least, most), known)
    if format == "json":
        sys.stdout.write(json.dumps([_plain(lead) for lead in found], ensure_ascii=False, indent=1) + "\n")
        return
    for lead in found:
        interest = f"{lead.interest:>8.1f}" if lead.interest is not None else f"{'':>8}"
        line = f"{lead.grade}  {interest}  {escape(lead.user_id):<20}  {escape('; '.join(lead.reasons))}"
        sys.stdout.write(fitted(line, hang=35) + "\n")


def _plain(lead: Lead) -> dict[str, object]:
    plain = {"user_id": lead.user_id, "grade": lead.grade, "interest": lead.interest}
    return {**plain, "reasons": list(lead.reasons)}
