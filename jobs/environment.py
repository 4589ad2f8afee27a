"""What Flink and the Python inside it are told before a job is composed."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path

from pyflink.common import Configuration

from jobs.jvm import forward_errors
from jobs.settings import Settings, uri

MAX_PARALLELISM = 128
"""How many key groups the state is cut into; a savepoint can never be resumed with another number."""


def on_cluster() -> bool:
    """Whether `flink run` has started this program: its JVM, classpath and Python settings are there already."""
    return "PYFLINK_GATEWAY_PORT" in os.environ


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


LOOPBACK = "127.0.0.1"
"""A job in this process is nobody else's business."""


def configuration(settings: Settings, restore: str | None, rest_port: int) -> Configuration:
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
        # Later than this after a restart it is another failure. Flink's hour lets machines that die one after the other
        # add up to a pause of 30 s for each.
        "restart-strategy.exponential-delay.reset-backoff-threshold": "20 s",
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
        values |= {
            "python.executable": sys.executable,
            "python.client.executable": sys.executable,
            "rest.bind-port": str(rest_port),
            "rest.bind-address": LOOPBACK,
            "jobmanager.bind-host": LOOPBACK,
            "taskmanager.bind-host": LOOPBACK,
            "metrics.fetcher.update-interval": "1 s",
        }
        jars = [Path(jar).absolute().as_uri() for pattern in settings.job.jars for jar in sorted(glob.glob(pattern))]
        if jars:
            values["pipeline.jars"] = ";".join(jars)
    configured = Configuration()
    for key, value in (values | settings.flink).items():
        configured.set_string(key, value)
    return configured
