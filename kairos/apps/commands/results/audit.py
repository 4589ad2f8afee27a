"""`kairos audit`."""

from __future__ import annotations

import json
import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kairos.adapters.files.run_folder import RunFolderError, read_origin
from kairos.adapters.settings.delivery import Conf
from kairos.adapters.settings.file import SettingsError
from kairos.apps.inputs.moments import now
from kairos.apps.native.settings import data_folder
from kairos.apps.view.audit import as_json, show
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import count, escape, fail, paint
from kairos.usecases.control.verify import verify
from kairos.usecases.results.audit import audit as usecase
from kairos.usecases.results.audit.inputs import Asked, conf_of, read_conf

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
    store: Annotated[
        str | None, typer.Option(help="Look only at what people did in this rule store: the log, approvals, releases.")
    ] = None,
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
      kairos audit --store sqlite:///rules.db  who has published, approved, paused
    """
    if store is not None:
        _audit_log(store)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters of it is in our own message
    settings = _settings(conf, folder or data_folder() / "run")
    live = folder is None and settings is not None and settings.kafka is not None
    run = None if live else folder or data_folder() / "run"
    asked = Asked(run, settings, rules, profiles, now(), settled)
    with told():
        found = usecase.audit(asked, show_most)
    if format is Format.json:
        sys.stdout.write(json.dumps(as_json(found), ensure_ascii=False) + "\n")
    else:
        show(found, sys.stdout)
    raise typer.Exit(0 if found.clean else 1)


def _audit_log(store: str) -> NoReturn:
    """The end of the log is shown: whoever notes it elsewhere sees later whether it was cut off."""
    with told():
        found = verify(store)
    for problem in found.problems:
        sys.stdout.write(f"  {paint('not ok', 'error', sys.stdout)}  {escape(problem)}\n")
    looked = f"{found.entries:,} entries, {found.rows:,} rows, {found.releases:,} releases"
    sys.stdout.write(f"{looked}; the log ends with {found.head[:16] or 'nothing'}\n")
    sys.stdout.write(f"not clean: {count(len(found.problems), 'violation')}\n" if found.problems else "clean\n")
    raise typer.Exit(1 if found.problems else 0)


def _settings(conf: Path | None, folder: Path) -> Conf | None:
    """Without a configuration named: the one that the run was made with, else that of runs on files, if it is there."""
    try:
        if conf is not None:
            return read_conf(conf)
        origin = read_origin(folder)
        if origin is not None:
            return conf_of(origin)
        return read_conf(EMBEDDED) if EMBEDDED.exists() else None
    except SettingsError as error:
        hint = "" if conf is not None else "; --conf names another configuration"
        fail(escape(f"{error}{hint}"))
    except RunFolderError as error:
        fail(escape(str(error)))
