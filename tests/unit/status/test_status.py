"""What a process tells of itself over HTTP, and in its log."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from kairos.adapters.metrics.declared import HEARTBEAT, ROUNDS
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.settings.file import SettingsError
from kairos.apps.heartbeat import Told
from kairos.apps.logs import JsonLines, trace_of, traced
from kairos.apps.native.service import NotReady, ask_ready
from kairos.apps.status.health import PATIENCE_SECONDS, Health
from kairos.apps.status.server import parse, serving


def get(address: str, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://{address}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def served(health: Health) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    metrics = Metrics(HEARTBEAT)
    metrics.add(ROUNDS, outcome="done")
    with serving(address, metrics, health):
        yield address


def test_a_process_that_begins_waits_works_and_is_stuck() -> None:
    now = [0.0]
    health = Health(clock=lambda: now[0])
    with served(health) as address:
        now[0] = 1_000.0
        assert (get(address, "/live"), get(address, "/ready")) == ((200, "ok\n"), (503, "it begins\n"))
        health.waits("Kafka is away")
        assert (get(address, "/live"), get(address, "/ready")) == ((200, "ok\n"), (503, "Kafka is away\n"))
        with pytest.raises(NotReady, match="Kafka is away"):
            ask_ready(address)
        health.works()
        assert get(address, "/ready") == (200, "ok\n")
        health.stands_by("stands by: ann, process 7 is at work")
        assert get(address, "/ready") == (200, "stands by: ann, process 7 is at work\n")
        assert ask_ready(address) == "stands by: ann, process 7 is at work"
        health.works()
        assert ask_ready(address) == "ready"
        now[0] += PATIENCE_SECONDS
        assert get(address, "/live") == (200, "ok\n")
        now[0] += 1
        assert get(address, "/live") == (503, "its loop is stuck\n")
        told = get(address, "/metrics")[1].splitlines()
        assert 'kairos_heartbeat_rounds_total{outcome="done"} 1.0' in told
        assert any(line.startswith("kairos_process_resident_memory_bytes ") for line in told)
        with pytest.raises(SettingsError, match="cannot listen there"), serving(address, Metrics([]), Health()):
            pass
    with pytest.raises(OSError):
        get(address, "/live")


@pytest.mark.parametrize("address", ["9100", "host:", ":9100", "host:port", "host:70000"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SettingsError, match=r"expected an address and a port"):
        parse(address)


def test_addresses() -> None:
    assert (parse("0.0.0.0:9100"), parse("[::1]:1")) == (("0.0.0.0", 9100), ("::1", 1))


def test_the_heartbeat_tells_of_its_rounds() -> None:
    told = Told(None, lambda: 17.0)
    told.missed("Kafka is away")
    assert told.health.hindrance == "Kafka is away"
    told.beaten(5)
    text = told.metrics.text().decode()
    assert told.health.hindrance is None
    assert "kairos_heartbeat_partitions 5.0" in text
    assert "kairos_heartbeat_last_round_timestamp_seconds 17.0" in text
    assert told.metrics.totals(ROUNDS, "outcome") == {"done": 1, "failed": 1}


def line(message: str, *arguments: object, error: bool = False) -> dict[str, str]:
    record = logging.LogRecord("kairos.x", logging.WARNING, "x.py", 1, message, arguments, None)
    if error:
        try:
            raise ValueError("no")
        except ValueError:
            record.exc_info = sys.exc_info()
    return json.loads(JsonLines("gateway").format(record))


def test_a_line_of_the_log() -> None:
    found = line("%s is away", 'the "store"')
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "WARNING",
        "part": "gateway",
        "logger": "kairos.x",
        "message": 'the "store" is away',
    }
    with traced("t1"):
        assert line("x")["trace"] == "t1"
    assert "trace" not in line("x")
    assert line("x", error=True)["error"].endswith("ValueError: no")


def test_a_trace_is_the_callers_or_a_new_one() -> None:
    caller = "0af7651916cd43dd8448eb211c80319c"
    assert trace_of(f"00-{caller}-b7ad6b7169203331-01") == caller
    made = {trace_of(None), trace_of(""), trace_of("00-XYZ-1-1"), trace_of(f"00-{caller}-b7ad6b7169203331-01 ")}
    assert len(made) == 4
    assert all(len(trace) == 32 for trace in made)
