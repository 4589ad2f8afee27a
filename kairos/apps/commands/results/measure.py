"""`kairos measure`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment
from kairos.apps.page.page import render
from kairos.apps.view.errors import told
from kairos.apps.view.measures import as_csv, as_json, as_table
from kairos.apps.view.screen import table_width
from kairos.apps.view.terminal import progress_bar
from kairos.usecases.results import measure as usecase
from kairos.usecases.results.measure import Answer, Wanted
from kairos.usecases.results.measure_all import measure_all

app = typer.Typer(rich_markup_mode=None)

Format = Literal["table", "json", "csv", "html"]
_ABOUT = "Measures of measures.yaml; reach/A, lift/A and money/A of each activity A."

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help=_ABOUT)]
AsOf = Annotated[str | None, typer.Option(help=f"What was known then: {TIME}. Default: the newest event.")]
Start = Annotated[str | None, typer.Option("--from", help="Only what began at this time or later.")]
End = Annotated[str | None, typer.Option("--to", help="Only what began before this time.")]
By = Annotated[
    str | None, typer.Option(help="Rows each: variant, channel, week, hour, theme, plan, profile.F, crowd.C.")
]
Warehouse = Annotated[Path | None, typer.Option(help="The warehouse's folder; else --conf's, else the data folder's.")]


@app.command()
def measure(
    names: Names = None,
    as_of: AsOf = None,
    start: Start = None,
    end: End = None,
    by: By = None,
    warehouse: Warehouse = None,
    rules: Annotated[Path, typer.Option(help="The rule folder, with measures.yaml.")] = Path("rules"),
    engine: Annotated[str, typer.Option(help="duckdb, or the URL of a Trino.")] = DUCKDB,
    format: Annotated[Format, typer.Option(help="How to print it.")] = "table",
) -> None:
    """Answer what measures.yaml asks of the warehouse; without names, everything.

    The same `--as-of` on the same data gives the same bytes, on either engine.

    \b
    Examples:
      kairos measure
      kairos measure retention --by week
      kairos measure lift/order_unpaid --as-of 2026-12-01T00:00Z --format json
    """
    with told():
        rule_set, loaded = valid_rules(rules)
        zone = ZoneInfo(rule_set.policy.timezone)
        times = (moment(as_of, "--as-of", zone), moment(start, "--from", zone), moment(end, "--to", zone))
        wanted, folder = Wanted(tuple(names or ()), *times, by), warehouse or default_warehouse()
        if format == "html" and not names and by is None:
            found = measure_all(folder, rule_set, loaded.measures, wanted, engine, progress=progress_bar)
        else:
            found = usecase.measure(folder, rule_set, loaded.measures, wanted, engine, progress_bar)
    sys.stdout.write(_written(found, format, loaded.measures.currency))


def _written(found: list[Answer], format: Format, currency: str) -> str:
    if format == "json":
        return as_json(found)
    if format == "html":
        return render([answer.section() for answer in found])
    return as_csv(found) if format == "csv" else as_table(found, table_width(), currency)
