"""Fixtures with real servers. All that they start ends with the session; what an aborted session left is swept."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import psutil
import pytest
from filelock import FileLock

from kairos.apps.cluster import Cluster, ClusterSettings
from kairos.apps.stack import Stack, StackSettings

SESSIONS = Path(tempfile.gettempdir()) / "kairos-tests"
"""One folder a test session, named after the pid that leads it; in it one folder a stack or cluster."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow ones first, so that at the end no test worker waits for the other (`--no-loadscope-reorder` keeps this)."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def leader() -> int:
    """The pid of the pytest that was started; xdist's workers are its children."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def free_ports(count: int) -> list[int]:
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def ports_of(folder: Path, *names: str) -> dict[str, int]:
    """Free ports for what lives in this folder; once chosen, they are noted there."""
    note = folder / "ports.json"
    if not note.exists():
        folder.mkdir(parents=True)
        note.write_bytes(msgspec.json.encode(dict(zip(names, free_ports(len(names)), strict=True))))
    return msgspec.json.decode(note.read_bytes(), type=dict[str, int])


def stack_in(folder: Path) -> Stack:
    ports = ports_of(folder, "kafka_port", "kafka_controller_port", "redis_port", "mariadb_port", "rabbitmq_port")
    return Stack(StackSettings(folder=folder, **ports))


def cluster_in(folder: Path) -> Cluster:
    return Cluster(ClusterSettings(folder=folder, **ports_of(folder, "rest_port", "rpc_port")))


def sweep(session: Path) -> None:
    for note in session.glob("stack-*/ports.json"):
        stack_in(note.parent).down()
    for note in session.glob("cluster-*/ports.json"):
        cluster_in(note.parent).down()
    shutil.rmtree(session, ignore_errors=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        for folder in SESSIONS.glob("*"):
            if folder.name == str(leader()) or not psutil.pid_exists(int(folder.name)):
                sweep(folder)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        sweep(SESSIONS / str(leader()))


@pytest.fixture(scope="session")
def stack() -> Stack:
    """All services, shared by all tests of the session: use names of topics and queues of your own."""
    session = SESSIONS / str(leader())
    session.mkdir(parents=True, exist_ok=True)
    with FileLock(session / "lock"):
        shared = stack_in(session / "stack-shared")
        shared.up()
    return shared


@pytest.fixture
def own_stack() -> Iterator[Callable[..., Stack]]:
    """`own_stack("kafka", "redis")`: these services for this test alone, which may stop and kill them."""
    with ExitStack() as teardown:

        def start(*names: str) -> Stack:
            own = stack_in(SESSIONS / str(leader()) / f"stack-{uuid.uuid4().hex[:8]}")
            teardown.callback(own.down)
            own.up(names)
            return own

        yield start


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A standalone Flink cluster for one module of tests."""
    own = cluster_in(SESSIONS / str(leader()) / f"cluster-{uuid.uuid4().hex[:8]}")
    own.up()
    yield own
    own.down()
