"""`kairos alarms`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import typer

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment
from kairos.apps.inputs.status import Status
from kairos.apps.view.alarms import line_of
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import count, keep_private, say
from kairos.engine.alarm.spec import Change
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.usecases.alarms.replay import replay as usecase

app = typer.Typer(rich_markup_mode=None)

Format = Literal["text", "json"]


@app.command()
def alarms(
    replay: Annotated[
        Path | None, typer.Option(help="What it would have said: of a warehouse, or of the folder of a run.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help=f"Of a replay: so far its silence is known; {TIME}. Default: its last record.")
    ] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder, with alarms.yaml.")] = Path("rules"),
    engine: Annotated[str, typer.Option(help="Of a replay: duckdb, or the URL of a Trino.")] = DUCKDB,
    format: Annotated[Format, typer.Option(help="text, or a JSON object a line.")] = "text",
    conf: Annotated[Path, typer.Option(help="Who is told, Kafka, the warehouse, the rule store.")] = Path(
        "conf/local.yaml"
    ),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    status: Status = None,
) -> None:
    """Watch decisions and receipts, and call somebody when they are not as they always were.

    It follows Kafka until Ctrl-C or SIGTERM; what is normal it learns from the warehouse. alarms.yaml says whom to
    call. Every alarm is told once until it is over, and printed here.

    \b
    Examples:
      kairos alarms --conf conf/local.yaml
      kairos alarms --replay .kairos/warehouse --until 2026-12-01T00:00Z
      kairos alarms --replay run --format json
    """
    keep_private()
    with told():
        rule_set, loaded = valid_rules(rules)
        zone = ZoneInfo(rule_set.policy.timezone)

        def show(change: Change) -> None:
            sys.stdout.write(_written(change, zone, format))
            sys.stdout.flush()

        if replay is None:
            _serve(conf, set or [], rule_set, loaded, show, status)
            return
        begun = 0
        for change in usecase(replay, loaded.alarms, rule_set, moment(until, "--until", zone), engine):
            show(change)
            begun += change.firing
    say(count(begun, "alarm"))


def _serve(
    conf: Path,
    overrides: list[str],
    rules: RuleSet,
    loaded: Loaded,
    show: Callable[[Change], object],
    status: str | None,
) -> None:
    from kairos.adapters.settings.alarms import load
    from kairos.apps.alarms.process import serve

    serve(load(conf, overrides), str(conf), rules, loaded.alarms, show, status)


def _written(change: Change, zone: ZoneInfo, format: Format) -> str:
    return msgspec.json.encode(change).decode() + "\n" if format == "json" else line_of(change, zone) + "\n"
