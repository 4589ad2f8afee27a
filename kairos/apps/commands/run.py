"""`kairos run`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from kairos.adapters.settings_file import SettingsError, full_store, read, substitute
from kairos.apps.commands.report import report
from kairos.apps.console import escape, fail, say
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
    files = _files_of(conf, set or ())
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
        sent = _deliver(folder, _store_of(conf, set or ()))
        say("")
        report(folder, rules)
        _tell(folder, sent)
    raise typer.Exit(status)


def _deliver(folder: Path, store: str) -> dict[str, Counter[str]]:
    """Through the delivery worker, once the job has ended."""
    from kairos.adapters.delivery_database import DatabaseError
    from kairos.adapters.rule_store import RuleStoreError, open_rule_store
    from kairos.adapters.run_folder import RunFolderError
    from kairos.apps.delivery.embedded import EmbeddedError, deliver

    try:
        return asyncio.run(deliver(folder, open_rule_store(store)))
    except (EmbeddedError, DatabaseError, RuleStoreError, RunFolderError, OSError) as error:
        fail(f"decided, but not delivered: {escape(str(error))}")


def _tell(folder: Path, sent: dict[str, Counter[str]]) -> None:
    """Where the messages are, and what became of those that are none."""
    from kairos.apps.delivery.embedded import LEDGER, OUTBOX

    for channel, counts in sent.items():
        others = ", ".join(f"{escape(name)} {count:,}" for name, count in sorted(counts.items()) if name != "sent")
        many = "message" if counts["sent"] == 1 else "messages"
        path = folder / OUTBOX / f"{channel}.jsonl"
        sys.stdout.write(f"  {path}  {counts['sent']:,} {many}{f' ({others})' if others else ''}\n")
    sys.stdout.write(f"  {folder / LEDGER}  the ledger; `kairos audit {folder}` checks it\n")


def _files_of(conf: Path, overrides: Iterable[str]) -> dict[str, Any] | None:
    """The section `files`, which a bounded run has. What else may be wrong with the file is for the job to say."""
    try:
        files = read(conf, overrides).get("files")
    except SettingsError as error:
        fail(f"the configuration {escape(str(error))}")
    return files if isinstance(files, dict) else None


def _store_of(conf: Path, overrides: Iterable[str]) -> str:
    """Where the job has its rules from, which has started with it."""
    rules = substitute(read(conf, overrides).get("rules") or {})
    return full_store(str(rules.get("store", "rules")))


def _need_example() -> None:
    try:
        prepare(data_folder() / "data")
    except DatasetError as error:
        fail(str(error))
