"""`kairos sql`."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.adapters.warehouse.port import Answer
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.view.errors import told
from kairos.apps.view.measures import INDENT, cell, table_lines
from kairos.apps.view.screen import table_width
from kairos.usecases.results.sql import ask

app = typer.Typer(rich_markup_mode=None)

Format = Literal["table", "json", "csv"]


@app.command()
def sql(
    query: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT in DuckDB's dialect.")],
    warehouse: Annotated[Path | None, typer.Option(help="Its folder; else --conf's, else the data folder's.")] = None,
    engine: Annotated[str, typer.Option(help="duckdb, or the URL of a Trino.")] = DUCKDB,
    format: Annotated[Format, typer.Option(help="How to print it.")] = "table",
) -> None:
    """Ask the warehouse one question in SQL. Nothing is changed by it, and nothing but its tables is read.

    \b
    Examples:
      kairos sql "SELECT type, count(*) AS n FROM events GROUP BY type"
      kairos sql "SELECT * FROM decisions WHERE user_id = 'u1'" --format json
    """
    with told():
        answer = ask(warehouse or default_warehouse(), query, engine)
    _print(answer, format)


def _print(answer: Answer, format: Format) -> None:
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    if format == "json":
        sys.stdout.write("[" + ",\n ".join(json.dumps(row, ensure_ascii=False, default=str) for row in rows) + "]\n")
    elif format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([cell(value) for value in row] for row in answer.rows)
    else:
        lines = table_lines(rows, table_width() + len(INDENT))
        sys.stdout.write("".join(f"{line.removeprefix(INDENT)}\n" for line in lines))
