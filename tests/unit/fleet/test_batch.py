"""A bounded job on the cluster says what it waits for and how far it is; whoever interrupts it leaves nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kairos.apps.cluster.batch import run_batch
from kairos.apps.cluster.job import MAIN, Jobs, Task, _Read


class Cluster(Jobs):
    """One of two slots is free after the second look. A look at the job finds one more part begun."""

    def __init__(self) -> None:
        self.looks, self.canceled = 0, list[str | None]()

    def submit(
        self, arguments: Sequence[str], savepoint: str | None = None, ship_environment: bool = False, main: Path = MAIN
    ) -> str:
        return "one"

    def wait(self, job_id: str, every: Callable[[], object]) -> None:
        for _ in range(5):
            every()

    def tasks(self, job_id: str) -> list[Task]:
        self.looks += 1
        begun = self.looks - 2
        return [
            Task("Source: spans", "FINISHED" if begun > 0 else "SCHEDULED"),
            Task("play", "RUNNING" if begun > 0 else "CREATED", _Read(begun // 2)),
        ]

    def slots(self) -> tuple[int, int]:
        return 0, 2

    def cancel(self, job_id: str | None = None) -> str:
        self.canceled.append(job_id)
        return "one"


def test_what_changes_is_said_once() -> None:
    cluster, said = Cluster(), list[str]()
    run_batch(cluster, MAIN, [], "play", 2, said.append, lambda: None)
    assert said == [
        "job one: it waits for a slot: 0 of the cluster's 2 are free",
        "job one: 0 of 2 parts are begun",
        "job one: 1 of 2 parts are begun",
    ]
    assert cluster.canceled == []


def test_whoever_interrupts_it_ends_the_job() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    cluster, said = Cluster(), list[str]()
    with pytest.raises(KeyboardInterrupt):
        run_batch(cluster, MAIN, [], "play", 2, said.append, interrupted)
    assert cluster.canceled == ["one"]
    assert said[-1] == "job one has ended: it was interrupted"
