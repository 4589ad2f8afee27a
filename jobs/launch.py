"""Starts a job: reads its configuration, checks what it needs, runs it here or hands it to a cluster."""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyflink.common import Configuration, JobClient
from pyflink.datastream import StreamExecutionEnvironment

from jobs.checks import StartError, check, first_release
from jobs.jvm import forward_errors, stop_with_savepoint
from jobs.prepare import prepare
from jobs.recovery import restore_path
from jobs.settings import Settings, SettingsError, load, uri
from kairos.adapters.profiles import open_profiles
from kairos.engine.rule.release import encode
from operators.profiles import ProfileSource

MAX_PARALLELISM = 128
"""How many key groups the state is cut into; a savepoint can never be resumed with another number."""

PARTS = "parts"
"""Folder under the output where the file sink writes."""


@dataclass(frozen=True)
class Run:
    """What one start of a job is made of. `input` and `output` are for bounded runs."""

    release: bytes
    open_profiles: Callable[[], ProfileSource] | None
    input: str = ""
    output: str = ""


Compose = Callable[[StreamExecutionEnvironment, Settings, Run], None]


def main(compose: Compose, arguments: Sequence[str]) -> int:
    options = _arguments(arguments)
    try:
        settings = load(options.conf, options.set)
        restore = restore_path(settings, options.restore) if options.restore else None
        check(settings)
        run = prepare_run(settings, resumed=restore is not None)
    except (SettingsError, StartError) as error:
        print(f"kairos: {error}", file=sys.stderr)
        return 2
    if not on_cluster():
        prepare_process(settings)
    env = StreamExecutionEnvironment.get_execution_environment(configuration(settings, restore))
    env.set_max_parallelism(MAX_PARALLELISM)
    compose(env, settings, run)
    client = env.execute_async(settings.job.name)
    say(f"job {client.get_job_id()} is running")
    return 0 if on_cluster() else wait(client, settings)


def say(message: str) -> None:
    print(f"kairos: {message}", file=sys.stderr, flush=True)


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


def on_cluster() -> bool:
    """Whether `flink run` has started this program: its JVM, classpath and Python settings are there already."""
    return "PYFLINK_GATEWAY_PORT" in os.environ


def prepare_run(settings: Settings, *, resumed: bool) -> Run:
    """Raises StartError."""
    release = encode(first_release(settings, resumed=resumed))
    profiles = settings.profiles
    open_source = partial(open_profiles, profiles) if profiles.redis or profiles.file else None
    if settings.files is None:
        return Run(release, open_source)
    output = Path(settings.files.output).absolute()
    shutil.rmtree(output / PARTS, ignore_errors=True)
    rows = output / "input.jsonl"
    count = prepare(Path(settings.files.events), rows)
    say(f"{count:,} lines of {settings.files.events}, sorted by event time")
    return Run(release, open_source, rows.as_uri(), (output / PARTS).as_uri())


def prepare_process(settings: Settings) -> None:
    """Before the JVM starts: thread mode finds Python through the environment, wherever this interpreter comes from."""
    root = str(Path(__file__).resolve().parent.parent)
    logs = Path(settings.job.log_dir).absolute()
    logs.mkdir(parents=True, exist_ok=True)
    environ = os.environ
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environ.get("PYTHONPATH")]))
    environ["JVM_ARGS"] = f"-Xmx{settings.job.heap} {environ.get('JVM_ARGS', '')}".strip()
    environ.setdefault("FLINK_LOG_DIR", str(logs))
    forward_errors()


def configuration(settings: Settings, restore: str | None) -> Configuration:
    """What Flink is told; the section `flink` of the settings has the last word."""
    state = settings.state
    values = {
        "python.execution-mode": settings.job.mode,
        "python.fn-execution.bundle.time": "20",
        "parallelism.default": str(settings.job.parallelism),
        "pipeline.max-parallelism": str(MAX_PARALLELISM),
        "pipeline.auto-generate-uids": "false",
        "pipeline.auto-watermark-interval": f"{settings.time.watermark_interval} ms",
        "table.exec.source.idle-timeout": f"{settings.time.idle_timeout} ms",
        "state.backend.type": state.backend,
        "restart-strategy.type": "exponential-delay" if settings.kafka else "none",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "30 s",
    }
    if state.checkpoints:
        values |= {
            "execution.checkpointing.interval": f"{state.interval} ms",
            "execution.checkpointing.timeout": f"{state.timeout} ms",
            "execution.checkpointing.dir": uri(state.checkpoints),
            "execution.checkpointing.num-retained": str(state.retained),
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "execution.checkpointing.tolerable-failed-checkpoints": str(state.tolerated_failures),
        }
    if state.savepoints:
        values["execution.checkpointing.savepoint-dir"] = uri(state.savepoints)
    if restore:
        values["execution.state-recovery.path"] = restore
    if not on_cluster():
        values |= {"python.executable": sys.executable, "python.client.executable": sys.executable}
        jars = [Path(jar).absolute().as_uri() for pattern in settings.job.jars for jar in sorted(glob.glob(pattern))]
        if jars:
            values["pipeline.jars"] = ";".join(jars)
    configured = Configuration()
    for key, value in (values | settings.flink).items():
        configured.set_string(key, value)
    return configured


def wait(client: JobClient, settings: Settings) -> int:
    """Until the job ends by itself, or a signal asks for an end: then it stops with a savepoint, where there is a place."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    result = client.get_job_execution_result()
    while not result.done() and not stop.wait(0.1):
        pass
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
