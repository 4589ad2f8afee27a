"""`kairos run`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kairos.adapters.files.run_folder import Origin, write_origin
from kairos.adapters.rules.store import RuleStore, last_good, open_rule_store
from kairos.adapters.settings.file import SettingsError, full_store, read, substitute
from kairos.apps.commands.results.report import page, report
from kairos.apps.native.settings import data_folder
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, fail, keep_private, say
from kairos.errors import KairosError
from kairos.usecases.operation.dataset.clickstream import prepare

app = typer.Typer(rich_markup_mode=None)

PAGE = "report.html"
"""In the output folder: what the run brought."""

EXAMPLE_EVENTS = "data/ecom.jsonl"
"""What a configuration that plays the example clickstream names as its events: fetched when it is not there."""


@app.command()
def run(
    conf: Annotated[Path, typer.Option(help="The job's configuration.")] = Path("conf/embedded.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    savepoint: Annotated[str | None, typer.Option("--from", help="Resume: a path, or `latest`.")] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Replace an engine that is at work on the same topics.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Where a run on files writes; default: the data folder's run/.")
    ] = None,
    rules: Annotated[Path, typer.Option(help="The rule folder, for the templates of the report.")] = Path("rules"),
) -> None:
    """Run the job on this machine: on files, to their end and a summary; on Kafka, until Ctrl-C.

    \b
    Examples:
      kairos run                    the example clickstream, from and to files
      kairos run --conf conf/local.yaml     on the stack that `make up` starts
    """
    keep_private()
    files = _files_of(conf, set or ())
    job = [sys.executable, "-m", "jobs.marketing", "--conf", str(conf)]
    job += [word for override in set or () for word in ("--set", override)]
    job += ["--from", savepoint] if savepoint else []
    job += ["--take-over"] if take_over else []
    if files is None:
        os.execv(job[0], job)  # signals are the job's own affair: it stops with a savepoint
    if str(files.get("events", "")).endswith(EXAMPLE_EVENTS):
        _need_example()
    folder = (output or data_folder() / "run").absolute()
    status = subprocess.call([*job, "--set", f"files.output={folder}"])
    if status == 0:
        write_origin(folder, Origin(str(conf.absolute()), list(set or ()), str(Path.cwd())))
        store = open_rule_store(_store_of(conf, set or ()))
        sent = _deliver(folder, store)
        kept = _keep(folder, store, conf, set or ())
        say("")
        report(folder, rules, kept)
        _tell(folder, sent)
        if kept is not None:
            _show(folder / PAGE, rules, kept)
    raise typer.Exit(status)


def _show(path: Path, rules: Path, warehouse: Path) -> None:
    """All that the warehouse says. Where it cannot answer, the report has said why."""
    try:
        path.write_text(page(rules, warehouse), encoding="utf-8")
    except KairosError:
        return
    sys.stdout.write(f"  {path}  what it brought, as a page\n")


def _keep(folder: Path, store: RuleStore, conf: Path, overrides: Sequence[str]) -> Path | None:
    """In the warehouse, where the configuration has one: its folder."""
    from kairos.apps.delivery.embedded import LEDGER
    from kairos.usecases.warehouse.run import keep_run

    try:
        release = last_good(store)
        kept = keep_run(conf, overrides, release.rules, folder, folder / LEDGER) if release else None
    except (KairosError, OSError) as error:
        fail(f"decided and delivered, but not kept to be measured: {escape(str(error))}")
    if kept is not None:
        say(f"kept to be measured in {kept}: kairos measure")
    return None if kept is None else Path(kept)


def _deliver(folder: Path, store: RuleStore) -> dict[str, Counter[str]]:
    """Through the delivery worker, once the job has ended."""
    from kairos.apps.delivery.embedded import deliver

    try:
        return asyncio.run(deliver(folder, store))
    except (KairosError, OSError) as error:
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
    with told():
        prepare(data_folder() / "data")
