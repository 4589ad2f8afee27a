"""A job is stopped over Flink's REST interface: a savepoint that is being written is waited for, by its trigger."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.apps.cluster import Cluster, ClusterSettings
from kairos.apps.cluster.job import Jobs, SavepointError
from kairos.apps.native.settings import ServiceError

TRIGGER = "0123456789abcdef0123456789abcdef"
UNDER_WAY = {"status": {"id": "IN_PROGRESS"}}


class Flink(BaseHTTPRequestHandler):
    """Answers the next of `answers` each time that it is asked for a savepoint."""

    answers: list[dict[str, Any]]
    ordered: list[tuple[str, dict[str, Any]]]
    refusal = 0

    def do_POST(self) -> None:
        body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        self.ordered.append((self.path, body))
        self._say({"errors": ["Job not found"]} if self.refusal else {"request-id": body["triggerId"]}, self.refusal)

    def do_PATCH(self) -> None:
        self.ordered.append((self.path, {}))
        self._say({}, self.refusal or 202)

    def do_GET(self) -> None:
        assert self.path in (f"/jobs/one/savepoints/{TRIGGER}", "/jobs/one", "/jobs/one/exceptions", "/overview")
        self._say(self.answers.pop(0))

    def _say(self, answer: dict[str, Any], status: int = 0) -> None:
        body = msgspec.json.encode(answer)
        self.send_response(status or 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def flink(tmp_path: Path) -> Iterator[tuple[type[Flink], Jobs]]:
    handler = type("Answering", (Flink,), {"answers": [], "ordered": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield handler, Jobs(Cluster(ClusterSettings(folder=tmp_path, rest_port=server.server_port)))
    server.shutdown()
    thread.join()
    server.server_close()


def done(**operation: Any) -> dict[str, Any]:
    return {"status": {"id": "COMPLETED"}, "operation": operation}


def test_a_savepoint_under_way_is_waited_for(flink: tuple[type[Flink], Jobs]) -> None:
    server, jobs = flink
    server.answers = [UNDER_WAY, done(location="file:/state/savepoint-1")]
    assert jobs.stop("file:///state", "one", TRIGGER) == "/state/savepoint-1"
    ((path, order),) = server.ordered
    assert path == "/jobs/one/stop"
    assert order == {
        "targetDirectory": "file:///state",
        "drain": False,
        "formatType": "CANONICAL",
        "triggerId": TRIGGER,
    }


def test_one_that_failed_says_why(flink: tuple[type[Flink], Jobs]) -> None:
    server, jobs = flink
    stack = (
        "java.util.concurrent.CompletionException: x\n\tat a.b.C\nCaused by: a.b.CheckpointException: a task is down\n"
    )
    server.answers = [done(**{"failure-cause": {"class": "x", "stack-trace": stack}})]
    with pytest.raises(
        SavepointError, match=r"job one has left no savepoint: a\.b\.CheckpointException: a task is down$"
    ):
        jobs.stop("file:///state", "one", TRIGGER)


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ([{"stacktrace": "E: x\n\tat a\nCaused by: S: state of version 11\n\tat b"}], "S: state of version 11"),
        ([], "the cluster's logs say why"),
    ],
)
def test_a_job_that_cannot_go_on_says_why(
    flink: tuple[type[Flink], Jobs], failures: list[dict[str, str]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade whose state it cannot read: it is started again and again until nobody waits any more."""
    monkeypatch.setattr("kairos.apps.cluster.job.AT_WORK_SECONDS", -1.0)
    server, jobs = flink
    exceptions = {"exceptionHistory": {"entries": failures, "truncated": False}}
    server.answers = [{"state": "RESTARTING", "vertices": []}, exceptions]
    with pytest.raises(ServiceError, match=f"job one is not at work but RESTARTING: {re.escape(said)}$"):
        jobs.until_at_work("one")
    server.answers = [{"state": "FAILED"}, exceptions]
    with pytest.raises(ServiceError, match=f"job one has ended as FAILED: {re.escape(said)}$"):
        jobs.wait("one", lambda: None)


def test_a_job_that_gets_no_slots_says_how_many_are_free(flink: tuple[type[Flink], Jobs]) -> None:
    server, jobs = flink
    failure = {
        "stacktrace": "a.NoResourceAvailableException: Could not acquire the minimum required resources.\n\tat b"
    }
    exceptions = {"exceptionHistory": {"entries": [failure]}}
    server.answers = [{"state": "FAILED"}, exceptions, {"slots-available": 1, "slots-total": 2}]
    with pytest.raises(ServiceError, match=r"FAILED: it takes more slots than the 1 of 2 that are free .*: a\.NoRes"):
        jobs.wait("one", lambda: None)


def test_a_refusal_is_said(flink: tuple[type[Flink], Jobs]) -> None:
    server, jobs = flink
    server.refusal = 404
    with pytest.raises(ServiceError, match=r"job one cannot be stopped: .*Job not found"):
        jobs.stop("file:///state", "one", TRIGGER)


def test_one_that_can_write_no_savepoint_is_ended_all_the_same(flink: tuple[type[Flink], Jobs]) -> None:
    server, jobs = flink
    server.answers = [{"state": "CANCELLING"}, {"state": "CANCELED"}]
    assert jobs.cancel("one") == "one"
    assert (server.ordered, server.answers) == ([("/jobs/one?mode=cancel", {})], [])
    server.refusal = 404
    with pytest.raises(ServiceError, match=r"job one cannot be ended: .*404"):
        jobs.cancel("one")
