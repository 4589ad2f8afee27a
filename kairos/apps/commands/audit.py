"""`kairos audit`."""

from __future__ import annotations

import json
import logging
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.settings_file import SettingsError
from kairos.apps.audit.audit import audit as judge
from kairos.apps.audit.inputs import Asked, InputError, open_inputs, read_conf
from kairos.apps.audit.view import as_json, show
from kairos.apps.console import escape, fail
from kairos.apps.delivery.settings import Conf
from kairos.apps.native.settings import data_folder

app = typer.Typer(rich_markup_mode=None)

EMBEDDED = Path("conf/embedded.yaml")


class Format(StrEnum):
    text = "text"
    json = "json"


@app.command()
def audit(
    folder: Annotated[
        Path | None, typer.Argument(metavar="RUN_FOLDER", help="The output of a run on files; default: the last one.")
    ] = None,
    conf: Annotated[
        Path | None, typer.Option(help="The configuration of job and workers; with a section kafka: what is live.")
    ] = None,
    rules: Annotated[
        str | None, typer.Option(help="A rule folder, or a rule store's address; else the configuration's.")
    ] = None,
    profiles: Annotated[Path | None, typer.Option(help="Profiles, JSON; else the configuration's.")] = None,
    settled: Annotated[
        bool, typer.Option("--settled", help="Everything has come to rest: nothing may be pending any more.")
    ] = False,
    show_most: Annotated[int, typer.Option("--show", min=0, help="Violations shown of each check.")] = 10,
    format: Annotated[Format, typer.Option(help="For people, or one JSON object.")] = Format.text,
) -> None:
    """Prove from ledger and decisions that everything was sent once, within its limits, and nothing got lost.

    Each check says how much it looked at, and shows the records, ledger rows and calls that prove a violation. Exits
    with 1 where there is one, and with 2 where it could not look. Users are judged by the time zone and the white list
    that they have now.

    \b
    Examples:
      kairos audit                             the last run on files
      kairos audit --conf conf/local.yaml      what is live on the stack
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is in our own message
    settings = _settings(conf)
    live = folder is None and settings is not None and settings.kafka is not None
    run = None if live else folder or data_folder() / "run"
    asked = Asked(run, settings, rules, profiles, time.time_ns() // 1_000_000, settled)
    try:
        with open_inputs(asked) as inputs:
            found = judge(inputs.log, inputs.ledger, inputs.given, show_most)
            places = inputs.places
    except InputError as error:
        fail(escape(str(error)))
    if format is Format.json:
        sys.stdout.write(json.dumps(as_json(found, places), ensure_ascii=False) + "\n")
    else:
        show(found, places, sys.stdout)
    raise typer.Exit(0 if found.clean else 1)


def _settings(conf: Path | None) -> Conf | None:
    """Without a configuration named: that of runs on files, where there is one."""
    if conf is None and not EMBEDDED.exists():
        return None
    try:
        return read_conf(conf or EMBEDDED)
    except SettingsError as error:
        fail(escape(str(error)))
