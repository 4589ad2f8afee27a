"""The job on a standalone cluster: submitted, stopped with a savepoint, resumed, none the worse for a dead TaskManager.

One after the other, on one cluster: a second job in the same TaskManager is what goes wrong when flink-python is not a
library of the cluster.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.apps.cluster import Cluster, ServiceError
from kairos.apps.cluster.job import LAST, Jobs
from kairos.apps.cluster.package import package_code
from kairos.apps.stack import Stack
from tests.flink.rules import THIRD, write_rules
from tests.flink.support import LiveJob, eventually

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


class Submitted:
    """A job's topics and settings, submitted to the cluster under test."""

    def __init__(self, cluster: Cluster, live: LiveJob) -> None:
        self.live = live
        self.cluster = cluster
        self.jobs = Jobs(cluster)
        self._seen = 0

    def submit(self, *overrides: str, savepoint: str | None = None) -> str:
        settings = [each for each in (*self.live.settings, *overrides) if not each.startswith("flink.rest")]
        words = [word for each in settings for word in ("--set", each)]
        return self.jobs.submit(["--conf", "conf/cluster.yaml", *words], savepoint)

    def view(self, user: str, times: int) -> None:
        """The user looks at something, so many times, now."""
        for _ in range(times):
            self._seen += 1
            now = time.time_ns() // 1_000_000
            self.live.send({"id": f"v{self._seen}", "type": "view", "user_id": user, "time": now, "props": {}})

    def decided(self) -> Counter[str]:
        return Counter(record["user_id"] for record in self.live.decisions())

    def until_decided(self, *users: str) -> None:
        eventually(self.decided, lambda found: found.keys() >= set(users))


@pytest.fixture(scope="module")
def submitted(cluster: Cluster, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitted]:
    package_code()
    folder = tmp_path_factory.mktemp("job")
    live = LiveJob(folder, stack.settings.kafka, write_rules(folder / "rules", third=THIRD))
    yield Submitted(cluster, live)
    live.close()


def test_a_stop_and_a_resume_lose_nothing_and_repeat_nothing(submitted: Submitted, tmp_path: Path) -> None:
    first = submitted.submit()
    submitted.view("before", 3)
    submitted.view("across", 2)
    submitted.until_decided("before")

    savepoint = submitted.jobs.stop(tmp_path.as_uri())
    assert (Path(savepoint) / "_metadata").is_file()
    assert submitted.jobs.running() == []
    submitted.view("across", 1)
    submitted.view("between", 3)

    with pytest.raises(ServiceError, match=r"written in thread mode .* runs in process mode"):
        submitted.submit("job.mode=process", savepoint=savepoint)
    second = submitted.submit(savepoint=LAST)
    assert second != first
    submitted.until_decided("across", "between")
    submitted.view("after", 3)
    submitted.until_decided("after")

    assert submitted.decided() == dict.fromkeys(["before", "across", "between", "after"], 1)


def test_a_killed_taskmanager_comes_back_with_its_state(submitted: Submitted) -> None:
    """Continues the job of the test before."""
    submitted.view("killed", 2)
    submitted.cluster.kill("taskmanager-1")
    submitted.view("killed", 1)
    submitted.cluster.up(["taskmanager-1"])

    submitted.until_decided("killed")

    assert submitted.decided()["killed"] == 1


def test_what_cannot_work_is_said_in_a_line(submitted: Submitted, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"nowhere.*No such file") as nowhere:
        submitted.submit(savepoint=str(tmp_path / "nowhere"))
    assert len(str(nowhere.value).splitlines()) == 1
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1") as no_kafka:
        submitted.submit("kafka.bootstrap=127.0.0.1:1")
    assert len(str(no_kafka.value).splitlines()) == 1
