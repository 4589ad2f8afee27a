"""`kairos cluster up | down | status | package | submit | stop`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.cluster import Cluster, load_settings
from kairos.apps.cluster.job import Jobs, SavepointError
from kairos.apps.cluster.package import package_code, package_environment
from kairos.apps.commands.operation.stack import show_status
from kairos.apps.native.settings import data_folder
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import fail, say

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def cluster() -> None:
    """A standalone Flink cluster on this machine, made of pip's Flink (conf/flink/), and the job on it.

    \b
    Examples:
      kairos cluster up
      kairos cluster submit
    """


@contextmanager
def _cluster() -> Iterator[Cluster]:
    with told():
        yield Cluster(load_settings())


@app.command()
def up() -> None:
    """Start a JobManager and the TaskManagers; return when all know each other.

    \b
    Example:
      kairos cluster up
    """
    with _cluster() as cluster:
        cluster.up(report=say)


@app.command()
def down() -> None:
    """Stop them, and the job with them: `stop` first keeps its state.

    \b
    Example:
      kairos cluster down
    """
    with _cluster() as cluster:
        cluster.down(report=say)


@app.command()
def status() -> None:
    """What runs, and which jobs. Exit 1 unless all processes answer.

    \b
    Example:
      kairos cluster status
    """
    with _cluster() as cluster:
        rows = cluster.status()
        up = all(row.state == "up" for row in rows)
        show_status(rows)
        for job in Jobs(cluster).running() if up else []:
            typer.echo(f"job        {job.state:8} {job.id}     {job.name}")
    raise typer.Exit(0 if up else 1)


@app.command()
def package() -> None:
    """Write build/kairos-code.zip and build/kairos-env.tar.gz.

    \b
    Example:
      kairos cluster package
    """
    for name, make in (("our code", package_code), ("the Python environment", package_environment)):
        say(f"packing {name} ...")
        try:
            made = make()
        except OSError as error:
            fail(f"{name} cannot be packed: {error}")
        typer.echo(f"{made}  {made.stat().st_size / 1e6:,.1f} MB")


@app.command()
def submit(
    conf: Annotated[Path, typer.Option(help="The job's configuration.")] = Path("conf/cluster.yaml"),
    set: Annotated[list[str] | None, typer.Option(help="section.key=value over the configuration.")] = None,
    savepoint: Annotated[
        str | None,
        typer.Option(
            "--from", help="Resume: a path, `savepoint` for that of the last stop, `latest` for the newest checkpoint."
        ),
    ] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Replace an engine that is at work on the same topics.")
    ] = False,
    ship: Annotated[bool, typer.Option("--package", help="Ship the packed Python environment with the job.")] = False,
) -> None:
    """Submit the job; print its id.

    \b
    Examples:
      kairos cluster submit
      kairos cluster submit --from savepoint  go on where the last one stopped
      kairos cluster submit --from latest     go on where the last one died
    """
    arguments = ["--conf", str(conf.absolute())]
    for override in set or ():
        arguments += ["--set", override]
    arguments += ["--take-over"] if take_over else []
    package_code()
    if ship:
        package_environment()
    with _cluster() as cluster:
        say("submitting ...")
        typer.echo(Jobs(cluster).submit(arguments, savepoint, ship))


@app.command()
def stop(
    job: Annotated[str | None, typer.Argument(help="The job's id; default: the only one that runs.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where to; default: the data folder's savepoints/.")] = None,
    without: Annotated[
        bool, typer.Option("--without-savepoint", help="End it as it is: it goes on from its newest checkpoint.")
    ] = False,
) -> None:
    """Stop the job with a savepoint; print its path. Nothing is lost or repeated when it is resumed from there.

    \b
    Examples:
      kairos cluster stop
      kairos cluster stop --folder savepoints
      kairos cluster stop --without-savepoint    one that only restarts
    """
    with _cluster() as cluster:
        if without:
            typer.echo(f"{Jobs(cluster).cancel(job)} has ended; `kairos cluster submit --from latest` goes on")
            return
        say("stopping with a savepoint ...")
        try:
            typer.echo(Jobs(cluster).stop((folder or data_folder() / "savepoints").absolute().as_uri(), job))
        except SavepointError as error:
            fail(f"{error}; it runs on, and --without-savepoint ends it")
