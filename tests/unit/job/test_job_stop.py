"""A job that is asked to stop as it begins leaves a savepoint all the same, and says so where it cannot."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from jobs import launch
from jobs.progress import at_work
from jobs.settings import Settings, State


class Job:
    """Has a savepoint once its tasks run, as Flink has it."""

    def __init__(self, looks: int) -> None:
        """`looks`: how many times Flink is asked before all tasks run."""
        self.looks = looks
        self.cancelled = False

    def ready(self) -> bool:
        self.looks -= 1
        return self.looks <= 0

    def savepoint(self, _client: object, folder: str) -> str:
        if self.looks > 0:
            raise RuntimeError("failed\nCaused by: Not all required tasks are currently running.")
        return f"{folder}/savepoint-1"

    def cancel(self) -> Job:
        self.cancelled = True
        return self

    def result(self) -> None: ...


def stop(job: Job, monkeypatch: pytest.MonkeyPatch, *, patience: float = 60.0) -> bool:
    monkeypatch.setattr(launch, "stop_with_savepoint", job.savepoint)
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(launch, "AT_WORK_SECONDS", patience)
    client: Any = job
    return launch.stop_job(client, Settings(state=State(savepoints="file:/savepoints")), job.ready)


@pytest.mark.parametrize("looks", [1, 3])
def test_it_waits_for_tasks_that_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], looks: int
) -> None:
    job = Job(looks)
    assert stop(job, monkeypatch)
    assert "savepoint: file:/savepoints/savepoint-1" in capsys.readouterr().err
    assert not job.cancelled


def test_without_a_savepoint_it_says_why_and_from_where_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(99)
    assert not stop(job, monkeypatch, patience=0.0)
    said = capsys.readouterr().err
    assert "no savepoint: Not all required tasks are currently running." in said
    assert "--from latest" in said
    assert job.cancelled


def answering(body: bytes) -> Callable[..., io.BytesIO]:
    return lambda *_, **__: io.BytesIO(body)


@pytest.mark.parametrize(
    ("states", "expected"),
    [(["RUNNING", "RUNNING"], True), (["RUNNING", "INITIALIZING"], False), (["DEPLOYING"], False), ([], False)],
)
def test_it_is_at_work_when_all_its_tasks_are(
    monkeypatch: pytest.MonkeyPatch, states: list[str], *, expected: bool
) -> None:
    body = msgspec.json.encode({"state": "RUNNING", "vertices": [{"status": state} for state in states]})
    monkeypatch.setattr(urllib.request, "urlopen", answering(body))
    assert at_work(1, "job") is expected


def test_it_is_not_where_flink_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", answering(b"starting"))
    assert not at_work(1, "job")
