"""TaskManagers of two sides: `up` starts, and `status` shows, the side that is at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.apps.cluster import Cluster, ClusterSettings
from kairos.apps.native.process import Process

FIRST, SECOND = ["taskmanager-1", "taskmanager-2"], ["taskmanager-1b", "taskmanager-2b"]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Without a JobManager."""
    cluster = Cluster(ClusterSettings(folder=tmp_path, taskmanagers=2, rest_port=1))
    yield cluster
    cluster.down()


def start(cluster: Cluster, name: str) -> None:
    Process(name, cluster.folder).start(["sleep", "600"], {}, Path())


def shown(cluster: Cluster) -> list[str]:
    return [status.name for status in cluster.status() if status.name.startswith("taskmanager")]


def test_job_managers_go_first_and_zookeeper_last(tmp_path: Path) -> None:
    """A JobManager that sees its TaskManagers go begins the job anew with each, which calls somebody."""
    cluster, stopped = Cluster(ClusterSettings(folder=tmp_path, standby=True)), list[str]()
    for name in ("zookeeper", "jobmanager", "jobmanager-2", *FIRST):
        start(cluster, name)
    cluster.down(report=stopped.append)
    assert [line.partition(":")[0] for line in stopped] == ["jobmanager-2", "jobmanager", *reversed(FIRST), "zookeeper"]


def test_the_side_at_work_is_the_one_that_runs(cluster: Cluster) -> None:
    assert cluster.on_demand() == SECOND
    start(cluster, "taskmanager-1")
    assert shown(cluster) == FIRST, "one of them is down, and is started by `up`"
    for name in SECOND:
        start(cluster, name)
    assert shown(cluster) == [*FIRST, *SECOND], "while an upgrade is under way"
    cluster.kill("taskmanager-1")
    assert cluster.on_demand() == FIRST
    assert shown(cluster) == SECOND
    cluster.kill("taskmanager-1b")
    assert shown(cluster) == SECOND, "it is down, and belongs to the side at work"
