"""`kairos run`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kairos.apps.commands.report import report
from kairos.apps.console import escape, fail, reason_of, say
from kairos.apps.dataset import DatasetError, prepare
from kairos.apps.native.settings import data_folder

app = typer.Typer(rich_markup_mode=None)

EXAMPLE_EVENTS = "data/ecom.jsonl"
"""What a configuration that plays the example clickstream names as its events: fetched when it is not there."""


@app.command()
def run(
    conf: Annotated[Path, typer.Option(help="The job's configuration.")] = Path("conf/embedded.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    savepoint: Annotated[str | None, typer.Option("--from", help="Resume: a path, or `latest`.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where a run on files writes; default: the data folder's run/.")
    ] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder, for the templates of the report.")] = Path("rules"),
) -> None:
    """Run the job on this machine: on files, to their end and a summary; on Kafka, until Ctrl-C.

    \b
    Examples:
      kairos run                               the example clickstream, from and to files
      kairos run --conf conf/local.yaml        on the stack that `make up` starts
    """
    files = _files_of(conf)
    job = [sys.executable, "-m", "jobs.marketing", "--conf", str(conf)]
    job += [word for override in set or () for word in ("--set", override)]
    job += ["--from", savepoint] if savepoint else []
    if files is None:
        os.execv(job[0], job)  # signals are the job's own affair: it stops with a savepoint
    if str(files.get("events", "")).endswith(EXAMPLE_EVENTS):
        _need_example()
    folder = (output or data_folder() / "run").absolute()
    status = subprocess.call([*job, "--set", f"files.output={folder}"])
    if status == 0:
        say("")
        report(folder, rules)
    raise typer.Exit(status)


def _files_of(conf: Path) -> dict[str, Any] | None:
    """The section `files`, which a bounded run has. What else may be wrong with the file is for the job to say."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(conf.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"the configuration {escape(str(conf))}: {reason_of(error)}")
    except YAMLError as error:
        fail(f"the configuration {escape(str(conf))}: not YAML: {error}")
    files = document.get("files") if isinstance(document, dict) else None
    return files if isinstance(files, dict) else None


def _need_example() -> None:
    try:
        prepare(data_folder() / "data")
    except DatasetError as error:
        fail(str(error))
