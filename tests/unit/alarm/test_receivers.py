"""Who is told: providers of channels, and Alertmanager by its own API."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from kairos.adapters.alarms.flink import JobTime
from kairos.adapters.alarms.said import SaidError, SaidFile
from kairos.adapters.settings.alarms import AlarmSettings, load, open_receivers
from kairos.adapters.settings.file import SettingsError
from kairos.engine.alarm.spec import Change
from tests.unit.alarm.alarm_kit import NOW

BEGUN = Change("SendsStopped", "SendsStopped", "activity", "hello", "sms", True, NOW, "messages: none for 2 min",
               "docs/runbooks/SendsStopped.md", "page")  # fmt: skip
OVER = Change("SendsStopped", "SendsStopped", "activity", "hello", "sms", False, NOW + 60_000, "over",
              "docs/runbooks/SendsStopped.md", "page")  # fmt: skip


class Server:
    """Answers what it is told to, and keeps what came. `answers`: path -> JSON."""

    def __init__(self) -> None:
        self.came: list[tuple[str, object]] = []
        self.answers: dict[str, object] = {}
        self.status = 200
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                server.came.append((self.path, json.loads(body)))
                self._answer(server.status, {})

            def do_GET(self) -> None:
                self._answer(200 if self.path in server.answers else 404, server.answers.get(self.path))

            def _answer(self, status: int, document: object) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *_: object) -> None: ...

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def told(given: dict[str, object], *changes: Change) -> list[Change]:
    """What the receiver takes of these."""

    async def run() -> list[Change]:
        receivers = open_receivers(AlarmSettings({"team": given}, runbooks="https://wiki/"), lambda: NOW, "conf.yaml")
        try:
            return await receivers["team"].tell(changes)
        finally:
            await receivers["team"].close()

    return asyncio.run(run())


def test_alertmanager_gets_alerts_of_its_api_v2(server: Server) -> None:
    given = {"provider": "alertmanager", "url": server.url, "labels": {"system": "kairos"}}
    assert told(given, BEGUN, OVER) == [BEGUN, OVER]
    ((path, (begun, over)),) = server.came
    assert path == "/api/v2/alerts"
    assert begun["labels"] == over["labels"]
    labels = {"alertname": "SendsStopped", "severity": "page", "activity": "hello", "channel": "sms"}
    assert begun["labels"] == {**labels, "system": "kairos"}
    assert begun["annotations"] == {
        "summary": "SendsStopped: hello by sms",
        "description": "messages: none for 2 min",
        "runbook": "https://wiki/docs/runbooks/SendsStopped.md",
    }
    assert begun["startsAt"] == "2026-09-28T00:00:00.000+00:00"
    assert "endsAt" not in begun
    assert over["endsAt"] == "2026-09-28T00:01:00.000+00:00"


def test_what_alertmanager_refuses_is_told_again(server: Server) -> None:
    server.status = 500
    assert told({"provider": "alertmanager", "url": server.url}, BEGUN) == []


def test_any_provider_of_a_channel_can_be_told(tmp_path: Path) -> None:
    file = tmp_path / "ops.jsonl"
    assert told({"provider": "file", "path": str(file), "to": "ops@example.com"}, BEGUN, OVER) == [BEGUN, OVER]
    begun, over = (json.loads(line) for line in file.read_text().splitlines())
    assert begun["address"] == "ops@example.com"
    assert begun["text"] == (
        "SendsStopped: hello by sms\nmessages: none for 2 min\nhttps://wiki/docs/runbooks/SendsStopped.md"
    )
    assert over["headers"]["subject"] == "over: SendsStopped: hello by sms"
    assert begun["key"] != over["key"]


def test_a_webhook_gets_the_alarm_as_values(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALARM_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    given: dict[str, object] = {"provider": "webhook", "url": server.url, "secret": {"env": "ALARM_SECRET"}}
    assert told(given, BEGUN) == [BEGUN]
    ((_, document),) = server.came
    values = document["data"]["values"]  # type: ignore[index]
    assert (values["alarm"], values["subject"], values["channel"]) == ("SendsStopped", "hello", "sms")
    assert values["runbook"] == "https://wiki/docs/runbooks/SendsStopped.md"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"provider": "pager"}, "alarms.receivers.team.provider: no provider is called 'pager'"),
        ({"provider": "alertmanager"}, "alarms.receivers.team: without url it cannot be opened"),
        ({"provider": "file", "paht": "x"}, "unknown key 'paht'; did you mean 'path'?"),
    ],
)
def test_what_cannot_be_opened_is_said(given: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=r"conf\.yaml: ") as error:
        open_receivers(AlarmSettings({"team": given}), lambda: NOW, "conf.yaml")
    assert why in str(error.value)


def test_the_section_of_the_configuration(tmp_path: Path) -> None:
    conf = tmp_path / "conf.yaml"
    conf.write_text("kafka: {bootstrap: 127.0.0.1:9092}\nalarms: {lag: 30s, flink: http://127.0.0.1:8081}\n")
    found = load(conf, ["alarms.state=said.json"]).alarms
    assert (found.lag, found.flink, found.state) == (30_000, "http://127.0.0.1:8081", "said.json")
    with pytest.raises(SettingsError, match=r"unknown key 'alarms\.recievers'"):
        load(conf, ["alarms.recievers={}"])


def test_the_time_of_the_job_is_its_least_watermark(server: Server) -> None:
    server.answers = {
        "/jobs/overview": {"jobs": [{"jid": "a", "state": "RUNNING"}, {"jid": "b", "state": "FAILED"}]},
        "/jobs/a": {"vertices": [{"id": "v"}, {"id": "w"}]},
        "/jobs/a/vertices/v/watermarks": [{"value": "2000"}, {"value": "1000"}],
        "/jobs/a/vertices/w/watermarks": [{"value": "-9223372036854775808"}],
    }
    time = JobTime(server.url)
    assert time() == 1000
    server.answers = {}
    assert time() == 1000, "it stands where it stood"
    assert JobTime(server.url)() is None


def test_what_was_said_is_kept_in_a_file(tmp_path: Path) -> None:
    file = SaidFile(tmp_path / "deep" / "said.json")
    assert file.read() == {}
    file.write({"team": [BEGUN]})
    assert SaidFile(tmp_path / "deep" / "said.json").read() == {"team": [BEGUN]}
    (tmp_path / "deep" / "said.json").write_text("{")
    with pytest.raises(SaidError, match=r"said\.json"):
        file.read()
