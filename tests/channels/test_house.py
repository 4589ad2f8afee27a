"""The stand-ins as a process, directed through their own door."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.channels.channel import Accepted, DeadAddress, Outcome, Retry
from kairos.adapters.channels.providers import open_channel
from kairos.apps.demo.providers.desk import Taken
from kairos.apps.demo.providers.house import Open
from tests.channels.channel_kit import KEY, message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("house")
    command = [sys.executable, "-m", "kairos.apps.demo.providers", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        yield folder
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not (folder / "providers.json").exists()


def direct(opened: Open, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{opened.http}/-/{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def send(opened: Open, provider: str, **fields: Any) -> Outcome:
    async def run() -> Outcome:
        channel = open_channel(provider, opened.options[provider], timeout=20_000)
        outcome = await channel.send(message(**fields))
        await channel.close()
        return outcome

    return asyncio.run(run())


def test_faults_refusals_and_books(folder: Path) -> None:
    opened = msgspec.json.decode((folder / "providers.json").read_bytes(), type=Open)
    direct(opened, "POST", "twilio/faults", [{"kind": "limited", "after": 3}])
    direct(opened, "PUT", "twilio/refusals", {"+1999": "21610"})
    assert send(opened, "twilio") == Retry("429", 3_000)
    assert send(opened, "twilio", address="+1999") == DeadAddress("21610 refused", opted_out=True)
    before = time.time_ns() // 1_000_000
    assert isinstance(send(opened, "twilio"), Accepted)
    assert isinstance(send(opened, "fcm", address="token-1"), Accepted)
    (taken,) = direct(opened, "GET", "twilio/taken")
    assert taken["address"] == "+8613800000000"
    assert taken["at"] >= before
    lines = [msgspec.json.decode(line, type=Taken) for line in (folder / "taken.jsonl").read_bytes().splitlines()]
    assert [(line.provider, line.key) for line in lines] == [("twilio", None), ("fcm", KEY)]


@pytest.mark.parametrize(("path", "body", "status"), [("twilio", [{"kind": "slwo"}], 400), ("twillio", [], 404)])
def test_what_the_director_may_not_ask(folder: Path, path: str, body: list[Any], status: int) -> None:
    opened = msgspec.json.decode((folder / "providers.json").read_bytes(), type=Open)
    with pytest.raises(urllib.error.HTTPError, match=str(status)):
        direct(opened, "POST", f"{path}/faults", body)
