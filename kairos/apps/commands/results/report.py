"""`kairos report`."""

from __future__ import annotations

import sys
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment
from kairos.apps.page.page import render
from kairos.apps.page.picture import picture
from kairos.apps.view.effects import effect_table, read_as_of, variant_table
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail, progress_bar, say
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.content.rendering import renderer_of
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.results import report as usecase
from kairos.usecases.results.measure import Wanted
from kairos.usecases.results.measure_all import KINDS, measure_all

if TYPE_CHECKING:
    from rich.table import Table

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
            help="The warehouse, which tells what it brought; without a folder else --conf's, else the data folder's."
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help=f"What the warehouse knew then: {TIME}. Default: its newest event."),
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="html: a page of all that the warehouse says; svg: one picture of it.")
    ] = "text",
) -> None:
    """Sum up a run: what it decided and sent, with examples; and with a warehouse, what each activity brought. Of a
    job that goes on, the warehouse has it all.

    Whoever's time to see the goal is not over is in no number of what an activity brought. Where events have stopped,
    that time ends for nobody: a later --as-of says how far what is loaded reaches.

    \b
    Examples:
      kairos report
      kairos report .kairos/run --warehouse .kairos/warehouse
      kairos report .kairos/run --warehouse .kairos/warehouse \\
        --format html > report.html
      kairos report --as-of 2026-12-01
    """
    if folder is None and warehouse is None:
        warehouse = default_warehouse()
    if as_of is not None and warehouse is None:
        fail("--as-of needs --warehouse: a run's folder is told whole")
    if form == "text":
        report(folder, rules, warehouse, as_of)
        return
    if warehouse is None:
        fail(f"--format {form} needs --warehouse: it shows what the warehouse says")
    with told():
        draw = page if form == "html" else _picture
        sys.stdout.write(draw(rules, warehouse, as_of))


def report(folder: Path | None, rules: Path, warehouse: Path | None = None, as_of: str | None = None) -> None:
    """As text, on standard output. `folder` None: of all that the warehouse has. Beside a folder, a warehouse that
    cannot answer is said, and is no failure of the run. `as_of`: a time, of what the warehouse says."""
    from kairos.apps.view.report import show
    from kairos.apps.view.screen import screen

    with told():
        rule_set, loaded = valid_rules(rules)
        try:
            known = _moment(as_of, rule_set)
            if folder is None:
                result = usecase.report_of(warehouse or default_warehouse(), known)
            else:
                result = usecase.report(folder)
        except OSError as error:
            fail(str(error))
    effects: list[Table | str] = []
    if warehouse is not None:
        try:
            sections = _sections(warehouse, rule_set, loaded.measures, LIFTS, known)
            effects += [table for table in (effect_table(sections), variant_table(sections)) if table and table.rows]
            if effects:
                effects.append(read_as_of(sections, "the newest event" if as_of is None else ""))
        except KairosError as error:
            say(f"what it brought cannot be told: {escape(str(error))}")
    show(result, renderer_of(rule_set), screen(), effects)


def page(rules: Path, warehouse: Path, as_of: str | None = None) -> str:
    """HTML of all that the warehouse says. Raises KairosError."""
    rule_set, loaded = valid_rules(rules)
    return render(_sections(warehouse, rule_set, loaded.measures, KINDS, _moment(as_of, rule_set)))


def _picture(rules: Path, warehouse: Path, as_of: str | None) -> str:
    rule_set, loaded = valid_rules(rules)
    return picture(_sections(warehouse, rule_set, loaded.measures, LIFTS, _moment(as_of, rule_set)))


def _moment(as_of: str | None, rules: RuleSet) -> int | None:
    return moment(as_of, "--as-of", ZoneInfo(rules.policy.timezone))


def _sections(
    warehouse: Path, rules: RuleSet, measures: Measures, kinds: Container[str], as_of: int | None
) -> list[dict[str, Any]]:
    answers = measure_all(warehouse, rules, measures, Wanted(as_of=as_of), kinds=kinds, progress=progress_bar)
    return [answer.section() for answer in answers]
