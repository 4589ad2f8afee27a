"""`kairos backtest`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.cluster import Cluster, load_settings
from kairos.apps.cluster.batch import run_batch
from kairos.apps.cluster.job import Jobs
from kairos.apps.cluster.package import package_code
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.moments import moment
from kairos.apps.inputs.sides import A, B, Out, Sets, Since, Store, Until, sides_of
from kairos.apps.native.settings import data_folder
from kairos.apps.view.comparison import Form, show_comparison, write_differences
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, keep_private, say
from kairos.usecases.rules.backtest import Result, Span, Task, gather, played, prepare, results_in, write

app = typer.Typer(rich_markup_mode=None)

MAIN = Path("jobs/backtest.py")
STEP = "play"
"""What the job calls it."""
LOOK_SECONDS = 0.5
Run = Callable[[Path, int], None]
"""A backtest's folder, and how many parts there are to play."""


@app.command()
def backtest(
    a: A,
    b: B,
    since: Since = None,
    until: Until = None,
    sets: Sets = None,
    store: Store = None,
    warehouse: Annotated[
        Path | None, typer.Option(help="The history's folder; else --conf's, else the data folder's.")
    ] = None,
    engine: Annotated[str, typer.Option(help="What reads it: duckdb, or the URL of a Trino.")] = DUCKDB,
    conf: Annotated[Path, typer.Option(help="A job's configuration: its sections `job` and `flink` count.")] = Path(
        "conf/embedded.yaml"
    ),
    parallelism: Annotated[int | None, typer.Option(min=1, help="Tasks at once; default: what --conf says.")] = None,
    on_cluster: Annotated[
        bool, typer.Option("--cluster", help="Run on the cluster that `make cluster-up` starts.")
    ] = False,
    out: Out = None,
    form: Annotated[Form, typer.Option("--format")] = "table",
) -> None:
    """Play what the warehouse keeps through two sets of rules, as a Flink job, and tell every decision that differs.

    It says what `kairos compare` says of the same events. Profiles are those of today. Every send counts as delivered.
    Exits with 0 without differences, 1 with some, 2 where it could not compare.

    \b
    Examples:
      kairos backtest rules/ new-rules/ --from 2026-11-01
      kairos backtest rules/ rules/ \\
        --set B:policy.caps.marketing.rules.0.max=2 --cluster --parallelism 2
    """
    keep_private()
    first, second = sides_of(a, b, store, sets or [])
    zone = ZoneInfo(first.rules.policy.timezone)
    start, end = moment(since, "--from", zone), moment(until, "--to", zone)
    words = ["--conf", str(conf.absolute()), *(["--set", f"job.parallelism={parallelism}"] if parallelism else [])]
    with told():
        run = _on_cluster(words) if on_cluster else _here(words)
        task, spans = prepare(first.rules, second.rules, warehouse or default_warehouse(), start, end, engine)
        compared = gather(task, played(task, spans, lambda some: _play(run, task, some), _once_more))
    found = compared.comparison.differences
    if out is not None:
        write_differences(out, found)
    show_comparison(first, second, compared, form)
    raise typer.Exit(1 if found else 0)


def _once_more(short: list[str]) -> None:
    say(
        f"the budget of {', '.join(short)} is used up: who gets the last messages is decided among all users; once more"
    )


def _play(run: Run, task: Task, spans: list[Span]) -> list[Result]:
    """Below the data folder, where TaskManagers on this machine find it."""
    place = data_folder() / "backtest"
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place.absolute()) as name:
        folder = Path(name)
        write(folder, task, spans)
        run(folder, len(spans))
        return results_in(folder)


def _here(words: list[str]) -> Run:
    def run(folder: Path, _parts: int) -> None:
        done = subprocess.run([sys.executable, "-m", "jobs.backtest", *words, "--folder", str(folder)])
        if done.returncode != 0:
            fail("the job has failed; what it said stands above")

    return run


def _on_cluster(words: list[str]) -> Run:
    """Raises ServiceError: before a long history is read it is known whether there is a cluster."""
    jobs = Jobs(Cluster(load_settings()))
    jobs.running()

    def run(folder: Path, parts: int) -> None:
        package_code()
        say("submitting ...")
        run_batch(jobs, MAIN, [*words, "--folder", str(folder)], STEP, parts, say, lambda: time.sleep(LOOK_SECONDS))

    return run
