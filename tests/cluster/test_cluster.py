"""The job on a standalone cluster: submitted, stopped with a savepoint, resumed, none the worse for a dead TaskManager.

One after the other, on one cluster: a second job in the same TaskManager is what goes wrong when flink-python is not a
library of the cluster.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
import yaml

from harness.job import LiveJob, eventually
from harness.rules import THIRD, write_rules
from kairos.apps.cluster import Cluster, ServiceError
from kairos.apps.cluster.job import LAST, Jobs
from kairos.apps.cluster.package import package_code
from kairos.apps.commands.rules.backtest import MAIN
from kairos.apps.stack import Stack
from tests.backtest_kit import Clickstream

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


def test_a_backtest_decides_in_parallel_record_for_record_what_compare_does(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First, while both slots are free."""

    def run(folder: Path) -> None:
        jobs, words = Jobs(cluster), ["--folder", str(folder), "--set", "job.parallelism=2"]
        jobs.wait(jobs.submit(words, main=MAIN), lambda: time.sleep(0.5))

    package_code()
    Clickstream(tmp_path / "clickstream").check(tmp_path / "work", run, monkeypatch)


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


def test_its_metrics_are_those_that_monitoring_asks_for(submitted: Submitted) -> None:
    """Continues the job of the test before. Names as prometheus.yml makes them of what Flink's reporter tells."""
    scrapes = yaml.safe_load(Path("deploy/monitoring/prometheus.yml").read_text())["scrape_configs"]
    (flink,) = (each for each in scrapes if each["job_name"] == "flink")
    (renamed,) = (each for each in flink["metric_relabel_configs"] if each["target_label"] == "__name__")
    made = re.sub(r"\$\{(\d)\}", r"\\g<\1>", renamed["replacement"])
    rules = "".join(path.read_text() for path in Path("deploy/monitoring/rules").glob("*.yml"))
    wanted = set(re.findall(r"flink_\w+", rules)) | {"kairos_job_rules_total"}

    def told() -> set[str]:
        lines = [line for port in reporters(submitted.cluster) for line in scrape(port)]
        names = {line.partition("{")[0].partition(" ")[0] for line in lines if not line.startswith("#")}
        return {re.sub(f"^(?:{renamed['regex']})$", made, name) for name in names}

    def watermark() -> float:
        lines = [line for port in reporters(submitted.cluster) for line in scrape(port)]
        known = [line for line in lines if "currentOutputWatermark" in line and 'operator_name="evaluate"' in line]
        return max((float(line.rpartition(" ")[2]) for line in known), default=0)

    eventually(told, lambda found: found >= wanted)
    eventually(watermark, lambda told: told > 0)


def reporters(cluster: Cluster) -> list[int]:
    """Ports of Flink's reporter in each process of the cluster."""
    found = []
    for status in cluster.status():
        process = psutil.Process(status.pid)
        for each in [process, *process.children(recursive=True)]:
            ports = {c.laddr.port for c in each.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
            found += [port for port in ports if 9249 <= port <= 9299]
    return found


def scrape(port: int) -> list[str]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        return answer.read().decode().splitlines()


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
