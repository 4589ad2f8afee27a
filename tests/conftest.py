"""Fixtures with real servers. All that they start ends with the session; what an aborted session left is swept."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import msgspec
import psutil
import pytest
from filelock import FileLock

from harness.warm import warm
from kairos.apps.cluster import Cluster, ClusterSettings
from kairos.apps.native.ports import free_ports
from kairos.apps.stack import Stack, StackSettings

SESSIONS = Path(tempfile.gettempdir()) / "kairos-tests"
"""One folder a test session, named after the pid that leads it; in it one folder a stack or cluster, and one for what
the processes of a test leave in their temporary folder (Java does not look at TMPDIR)."""


hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize="CI" in os.environ
)
hypothesis.settings.load_profile("untimed")
"""How long an example takes is the machine's affair. CI tries the same examples each time, as Hypothesis' own profile
for CI does: what chance finds is found by whoever develops, and does not hold up somebody else's change."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow ones first, then files in which a test may take long, so that at the end no test worker waits for the other
    (`--no-loadscope-reorder` keeps this)."""
    long = {item.path for item in items if item.get_closest_marker("timeout")}
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, item.path not in long))
    for item in items:
        if any(item.get_closest_marker(mark) for mark in ON_SERVERS):
            item.add_marker(pytest.mark.flaky(reruns=1))


ON_SERVERS = ("stack", "flink", "cluster", "browser")
"""Marks of tests on real processes, some dozen of which share the cores: one of these that fails is run once more, and
the summary names it as rerun. Whoever sees one there twice has found a fault. All others must pass at once."""


Clusters = Callable[..., Cluster]

SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+NeverActAsServerClassMachine"
"""For every JVM of a test: one that lives for a minute or two compiles in vain, and that takes the other core. The
second chooses the serial collector, but where a program names one of its own."""


def leader() -> int:
    """The pid of the pytest that was started; xdist's workers are its children."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def ports_of(folder: Path, *names: str) -> dict[str, int]:
    """Free ports for what lives in this folder; once chosen, they are noted there."""
    note = folder / "ports.json"
    if not note.exists():
        folder.mkdir(parents=True)
        note.write_bytes(msgspec.json.encode(dict(zip(names, free_ports(len(names)), strict=True))))
    return msgspec.json.decode(note.read_bytes(), type=dict[str, int])


def stack_in(folder: Path) -> Stack:
    names = ("kafka_port", "kafka_controller_port", "redis_port", "mariadb_port", "rabbitmq_port", "trino_port")
    names += ("prometheus_port", "alertmanager_port", "heartbeat_port", "scheduler_port")
    return Stack(StackSettings(folder=folder, **ports_of(folder, *names)))


def cluster_in(folder: Path, **settings: Any) -> Cluster:
    names = ("rest_port", "rpc_port", "standby_port", "zookeeper_port")
    return Cluster(ClusterSettings(folder=folder, **ports_of(folder, *names), **settings))


def sweep(session: Path) -> None:
    for note in session.glob("stack-*/ports.json"):
        stack_in(note.parent).down()
    for note in session.glob("cluster-*/ports.json"):
        cluster_in(note.parent, standby=True).down()
    shutil.rmtree(session, ignore_errors=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        for folder in SESSIONS.glob("*"):
            if folder.name == str(leader()) or not psutil.pid_exists(int(folder.name)):
                sweep(folder)
    if "PYTEST_XDIST_WORKER" in os.environ or not session.config.getoption("numprocesses", None):
        temporary = SESSIONS / str(leader()) / f"tmp-{os.getpid()}"
        temporary.mkdir(parents=True)
        os.environ["TMPDIR"] = str(temporary)
        os.environ["JVM_ARGS"] = f"-Djava.io.tmpdir={temporary} {os.environ.get('JVM_ARGS', '')}".strip()
        os.environ["JAVA_TOOL_OPTIONS"] = f"{SHORT_LIVED} {os.environ.get('JAVA_TOOL_OPTIONS', '')}".strip()


@pytest.fixture(scope="module", autouse=True)
def _unpacked_jars() -> Iterator[None]:
    """Flink unpacks jars of 70 MB for each JVM; one that a test has killed leaves it, and many fill a disk.
    A JVM that lives on has its file open."""
    yield
    for jar in Path(os.environ["TMPDIR"]).glob("flink-*.jar"):
        jar.unlink()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        sweep(SESSIONS / str(leader()))


@pytest.fixture(scope="session")
def warm_kairos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The command `kairos`, started already (harness/warm.py)."""
    with warm(tmp_path_factory.mktemp("warm")) as command:
        yield command


@pytest.fixture(scope="session")
def stack() -> Stack:
    """All services, shared by all tests of the session: use names of topics and queues of your own."""
    session = SESSIONS / str(leader())
    session.mkdir(parents=True, exist_ok=True)
    with FileLock(session / "lock"):
        shared = stack_in(session / "stack-shared")
        shared.up()
    return shared


@pytest.fixture(scope="session")
def trino() -> str:
    """The URL of a Trino, shared by all tests of the session; it reads any warehouse on this machine."""
    session = SESSIONS / str(leader())
    session.mkdir(parents=True, exist_ok=True)
    with FileLock(session / "lock-trino"):
        shared = stack_in(session / "stack-trino")
        shared.up(["trino"])
    return shared.settings.trino_url


@pytest.fixture(params=["duckdb", pytest.param("trino", marks=pytest.mark.stack)])
def engine_address(request: pytest.FixtureRequest) -> str:
    """What `--engine` takes, for either engine: a test that asks for it runs on both."""
    return "duckdb" if request.param == "duckdb" else str(request.getfixturevalue("trino"))


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


@pytest.fixture
def own_cluster() -> Iterator[Clusters]:
    """`own_cluster(standby=True)`: a cluster of such settings for this test alone, which may kill what it likes."""
    with ExitStack() as teardown:

        def start(**settings: Any) -> Cluster:
            own = cluster_in(SESSIONS / str(leader()) / f"cluster-{uuid.uuid4().hex[:8]}", **settings)
            teardown.callback(own.down)
            own.up()
            return own

        yield start
