"""`kairos schedule`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.opening import open_engine
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.crowds.places import folder_of
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import Conf, Everyone, everyone
from kairos.apps.view.errors import told
from kairos.apps.view.schedule import show_forecast, show_slots
from kairos.apps.view.terminal import escape, fail
from kairos.engine.rule.model import RuleSet
from kairos.usecases.scheduler.forecast import HOUR, Forecast, forecast
from kairos.usecases.scheduler.foresee import slots_to_come
from kairos.usecases.scheduler.ports import People

app = typer.Typer(rich_markup_mode=None)

DAY = 86_400_000


@app.command()
def schedule(
    activity: Annotated[str | None, typer.Argument(help="Of this activity alone; else of all.")] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
    profiles: Everyone = None,
    conf: Conf = Path("conf/embedded.yaml"),
    days: Annotated[int, typer.Option(min=1, max=400, help="So far ahead.")] = 7,
    load: Annotated[
        bool, typer.Option("--load", help="Messages an hour and channel, and whom two meet on a day.")
    ] = False,
    warehouse: Annotated[Path | None, typer.Option(help="With --load: it says what is usual.")] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="As a table, or as JSON.")] = "text",
) -> None:
    """List the slots to come, and for how many people each comes; of a live crowd, everyone who may be in it.

    \b
    Examples:
      kairos schedule --days 30
      kairos schedule birthday --rules examples/playbooks \\
        --profiles .kairos/data/profiles.json
      kairos schedule --load
    """
    if load and activity is not None:
        fail(f"--load tells of all activities together: leave out {escape(activity)}")
    with told():
        rule_set, _ = valid_rules(rules)
        start = now()
        people = everyone(profiles, conf)
        if load:
            folder = warehouse or folder_of(conf if conf.exists() else None) or default_warehouse()
            _show_load(_forecast(rule_set, people, folder, start, days), form)
            return
        found = slots_to_come(rule_set, people, start, start + days * DAY, activity)
    if form == "json":
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        show_slots(found, sys.stdout)


def _forecast(rules: RuleSet, people: People, warehouse: Path, start: int, days: int) -> Forecast:
    hour = start // HOUR * HOUR
    if not Folder(warehouse).exists:
        return forecast(rules, people, None, hour, hour + days * DAY)
    with closing(open_engine(warehouse)) as engine:
        return forecast(rules, people, engine, hour, hour + days * DAY)


def _show_load(found: Forecast, form: str) -> None:
    if form == "json":
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        show_forecast(found, sys.stdout)
