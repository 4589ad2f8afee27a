"""`kairos report`."""

from __future__ import annotations

import sys
from collections.abc import Container
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.files import valid_rules
from kairos.apps.page.page import render
from kairos.apps.page.picture import picture
from kairos.apps.view.effects import effect_table, variant_table
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail, progress_bar, say
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.content.rendering import renderer_of
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.results import report as usecase
from kairos.usecases.results.measure import Wanted
from kairos.usecases.results.measure_all import KINDS, measure_all

app = typer.Typer(rich_markup_mode=None)

LIFTS = frozenset({"lift"})
"""All that the table and the picture show."""

Form = Literal["text", "html", "svg"]


@app.command("report")
def command(
    folder: Annotated[
        Path | None, typer.Argument(help="The output folder of a run on files; else what the warehouse says.")
    ] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder, for the templates and measures.")] = Path("rules"),
    warehouse: Annotated[
        Path | None,
        typer.Option(
            help="The warehouse, which tells what it brought; default, without a folder: the data folder's warehouse/."
        ),
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="html: a page of all that the warehouse says; svg: one picture of it.")
    ] = "text",
) -> None:
    """Sum up a run: what it decided and sent, with examples; and with a warehouse, what each activity brought. Of a
    job that goes on, the warehouse has it all.

    \b
    Examples:
      kairos report
      kairos report .kairos/run --warehouse .kairos/warehouse
      kairos report .kairos/run --warehouse .kairos/warehouse \\
        --format html > report.html
    """
    if folder is None and warehouse is None:
        warehouse = default_warehouse()
    if form == "text":
        report(folder, rules, warehouse)
        return
    if warehouse is None:
        fail(f"--format {form} needs --warehouse: it shows what the warehouse says")
    with told():
        sys.stdout.write(page(rules, warehouse) if form == "html" else _picture(rules, warehouse))


def report(folder: Path | None, rules: Path, warehouse: Path | None = None) -> None:
    """As text, on standard output. `folder` None: of all that the warehouse has. Beside a folder, a warehouse that
    cannot answer is said, and is no failure of the run."""
    from kairos.apps.view.report import show
    from kairos.apps.view.screen import screen

    with told():
        rule_set, loaded = valid_rules(rules)
        try:
            result = usecase.report_of(warehouse or default_warehouse()) if folder is None else usecase.report(folder)
        except OSError as error:
            fail(str(error))
    effects = []
    if warehouse is not None:
        try:
            sections = _sections(warehouse, rule_set, loaded.measures, LIFTS)
            effects = [table for table in (effect_table(sections), variant_table(sections)) if table and table.rows]
        except KairosError as error:
            say(f"what it brought cannot be told: {escape(str(error))}")
    show(result, renderer_of(rule_set), screen(), effects)


def page(rules: Path, warehouse: Path) -> str:
    """HTML of all that the warehouse says. Raises KairosError."""
    rule_set, loaded = valid_rules(rules)
    return render(_sections(warehouse, rule_set, loaded.measures, KINDS))


def _picture(rules: Path, warehouse: Path) -> str:
    rule_set, loaded = valid_rules(rules)
    return picture(_sections(warehouse, rule_set, loaded.measures, LIFTS))


def _sections(warehouse: Path, rules: RuleSet, measures: Measures, kinds: Container[str]) -> list[dict[str, Any]]:
    answers = measure_all(warehouse, rules, measures, Wanted(), kinds=kinds, progress=progress_bar)
    return [answer.section() for answer in answers]
