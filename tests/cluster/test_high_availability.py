"""Two JobManagers and ZooKeeper: whichever of them is killed, the job goes on from its last checkpoint by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.job import LiveJob, eventually
from harness.rules import THIRD, write_rules
from kairos.apps.cluster import Cluster
from kairos.apps.cluster.job import Jobs
from kairos.apps.cluster.package import package_code
from kairos.apps.cluster.services import ask
from kairos.apps.native.service import NotReady
from kairos.apps.stack import Stack
from tests.conftest import Clusters

pytestmark = [pytest.mark.cluster, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def live(stack: Stack, tmp_path: Path) -> Iterator[LiveJob]:
    live = LiveJob(tmp_path, stack.settings.kafka, write_rules(tmp_path / "rules", third=THIRD))
    yield live
    live.close()


def test_a_killed_jobmanager_has_a_successor(own_cluster: Clusters, live: LiveJob) -> None:
    """One of the two leads, so killing one after the other kills the leader, and then its successor."""
    cluster = own_cluster(standby=True, taskmanagers=1)
    package_code()
    settings = [each for each in live.settings if not each.startswith("flink.rest")]
    overrides = [word for each in [*settings, "job.parallelism=1"] for word in ("--set", each)]
    job = Jobs(cluster).submit(["--conf", "conf/cluster.yaml", *overrides])
    eventually(lambda: checkpoints(cluster, job), lambda found: found["counts"]["completed"])

    for name in ("jobmanager", "jobmanager-2"):
        view(live, name, 2)
        seen = checkpoints(cluster, job)["counts"]["completed"]
        eventually(
            lambda seen=seen: checkpoints(cluster, job)["counts"]["completed"], lambda found, seen=seen: found > seen
        )
        cluster.kill(name)
        view(live, name, 1)
        live.until_decided(name)
        cluster.up([name])

    assert [each.id for each in Jobs(cluster).running()] == [job]
    assert checkpoints(cluster, job)["latest"]["restored"]["is_savepoint"] is False
    assert sorted(record["user_id"] for record in live.decisions()) == ["jobmanager", "jobmanager-2"]


def checkpoints(cluster: Cluster, job: str) -> dict[str, Any]:
    try:
        return ask(cluster.settings, f"/jobs/{job}/checkpoints")
    except NotReady:  # nobody leads at the moment
        return {"counts": {"completed": 0}}


def view(live: LiveJob, user: str, times: int) -> None:
    """The user looks at something, so many times, now."""
    for _ in range(times):
        place, now = time.time_ns(), time.time_ns() // 1_000_000
        live.send({"id": f"v{place}", "type": "view", "user_id": user, "time": now, "props": {}})
