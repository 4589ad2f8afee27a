"""Starts a job: reads its configuration, checks what it needs, runs it here or hands it to a cluster."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from pyflink.common import JobClient
from pyflink.datastream import StreamExecutionEnvironment

from jobs.checks import StartError, check, first_release, first_sources
from jobs.environment import MAX_PARALLELISM, configuration, on_cluster, prepare_process
from jobs.jvm import stop_with_savepoint
from jobs.prepare import prepare
from jobs.progress import Progress, free_port
from jobs.recovery import restore_path
from jobs.settings import Settings, SettingsError, load, uri
from kairos.adapters.profiles import open_profiles
from kairos.engine.event import Event
from operators.profiles import ProfileSource
from operators.rules import Shipped

PARTS = "parts"
"""Folder under the output where the file sink writes."""

POLL_SECONDS = 0.1

OpenProfiles = Callable[[Callable[[str], None]], ProfileSource]


@dataclass(frozen=True)
class Run:
    """What one start of a job is made of. `release`: Shipped, in msgpack. The rest is for bounded runs."""

    release: bytes
    open_profiles: OpenProfiles | None
    input: str = ""
    output: str = ""
    rows: int = 0
    receipts: list[Event] | None = None


Compose = Callable[[StreamExecutionEnvironment, Settings, Run], None]


def main(compose: Compose, arguments: Sequence[str]) -> int:
    options = _arguments(arguments)
    try:
        settings = load(options.conf, options.set)
        restore = restore_path(settings, options.restore) if options.restore else None
        check(settings)
        run = prepare_run(settings)
    except (SettingsError, StartError) as error:
        say(str(error))
        return 2
    if not on_cluster():
        prepare_process(settings)
    port = free_port()
    env = StreamExecutionEnvironment.get_execution_environment(configuration(settings, restore, port))
    env.set_max_parallelism(MAX_PARALLELISM)
    compose(env, settings, run)
    client = env.execute_async(settings.job.name)
    say(f"job {client.get_job_id()} is running")
    if on_cluster():
        return 0
    return wait(client, settings, Progress(port, run.rows, say) if settings.files else None)


def say(message: str) -> None:
    sys.stderr.write(f"kairos: {message}\n")
    sys.stderr.flush()


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="marketing", description="Runs the job, in this process or under `flink run`."
    )
    parser.add_argument("--conf", default="conf/embedded.yaml", help="configuration file (default: %(default)s)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="overrides a key: kafka.bootstrap=..."
    )
    parser.add_argument(
        "--from",
        dest="restore",
        metavar="PATH",
        help="resume from a savepoint or checkpoint; `latest`: the newest checkpoint",
    )
    return parser.parse_args(arguments)


def first_cause(error: BaseException) -> str:
    """The innermost message of a Java exception: what went wrong, without the stack trace."""
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes or lines or [type(error).__name__])[-1]


def prepare_run(settings: Settings) -> Run:
    """Raises StartError."""
    shipped = Shipped(first_release(settings), time.time_ns() // 1_000_000, first_sources(settings))
    release = msgspec.msgpack.encode(shipped)
    profiles = settings.profiles
    open_source = partial(open_profiles, profiles) if profiles.redis or profiles.file else None
    if settings.files is None:
        return Run(release, open_source)
    output = Path(settings.files.output).absolute()
    shutil.rmtree(output / PARTS, ignore_errors=True)
    rows = output / "input.jsonl"
    count, receipts = prepare(Path(settings.files.events), rows)
    say(f"{count:,} lines of {settings.files.events}, sorted by event time")
    return Run(release, open_source, rows.as_uri(), (output / PARTS).as_uri(), count, receipts)


def wait(client: JobClient, settings: Settings, progress: Progress | None) -> int:
    """Until the job ends by itself, or a signal asks for it: then with a savepoint, where there is a place for one."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    job_id = str(client.get_job_id())
    result = client.get_job_execution_result()
    while not result.done() and not stop.wait(POLL_SECONDS):
        if progress is not None:
            progress.show(job_id)
    if not result.done():
        stop_job(client, settings)
    try:
        result.result()
    except Exception as error:  # a Java exception of whatever kind: the job is over
        say(f"the job failed: {first_cause(error)}; details are in {settings.job.log_dir}")
        return 1
    return 0


def stop_job(client: JobClient, settings: Settings) -> None:
    """Nothing is lost or repeated when the job is resumed from where this leaves it."""
    if settings.state.savepoints:
        say("stopping with a savepoint ...")
        say(f"savepoint: {stop_with_savepoint(client, uri(settings.state.savepoints))}")
    else:
        client.cancel().result()
