"""`kairos upgrade` under traffic, killed in its middle and run again: nothing is lost, nothing goes twice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cluster_world import ClusterWorld
from harness.job import eventually, now
from kairos.apps.stack import Stack
from tests.conftest import Clusters

pytestmark = [pytest.mark.cluster, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def world(own_stack: Callable[..., Stack], own_cluster: Clusters, tmp_path: Path) -> Iterator[ClusterWorld]:
    own = own_stack("kafka", "redis", "mariadb", "heartbeat")
    world = ClusterWorld(own, own_cluster(taskmanagers=1), tmp_path)
    yield world
    world.close()


def test_an_upgrade_under_traffic(world: ClusterWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.start()
    before = {status.name: status.pid for status in world.fleet.status()}
    (job,) = world.jobs.running()
    begun = now()

    said = killed_while_it_stops(world, job.id)
    again = world.upgrade()
    said += again.communicate(timeout=300)[0]
    assert again.returncode == 0, said

    world.until_it_goes_on()
    after = {status.name: status.pid for status in world.fleet.status()}
    assert before.keys() == after.keys()
    assert all(after[name] not in (None, before[name]) for name in before)
    (successor,) = world.jobs.running()
    assert successor.id != job.id
    world.settle()
    with capsys.disabled():
        sys.stdout.write(f"\n{said}{longest(world, begun)}")


def killed_while_it_stops(world: ClusterWorld, job: str) -> str:
    """What an upgrade says that is killed while the savepoint is written, or just after."""
    process = world.upgrade()
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if line.endswith("stop the job ...\n"):
            break
    savepoints = world.folder / "state" / "savepoints" / f"upgrade-{job}"
    eventually(savepoints.exists, bool)
    process.kill()
    process.wait()
    return said


def longest(world: ClusterWorld, begun: int) -> str:
    waits = [wait for at, wait in world.delays() if at >= begun]
    return f"longest wait from decision to provider: {max(waits) / 1000:.1f} s of {len(waits)} messages\n"
