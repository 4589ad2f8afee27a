"""The gateway as a process over real Kafka and Redis: sources that change while it runs, and bodies that mean harm."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sql

from kairos.adapters.sources.tables import SOURCES
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway.gateway_process import GatewayProcess, eventually, now, read_all, running, unique

pytestmark = pytest.mark.stack

EVENTS = {"order": EventSchema({"order_id": "string"}, ("order_id",))}


@pytest.fixture(scope="module")
def gateway(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with running(tmp_path_factory.mktemp("gateway"), stack.settings.kafka, stack.settings.redis_url) as process:
        yield process


def event(id_: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "order", "user_id": f"u-{id_}", "time": now(), "props": {"order_id": "o"}, **fields}


def until(gateway: GatewayProcess, source: str, status: int) -> dict[str, Any]:
    """What one event is answered with, once that has the status."""

    def asked() -> Any:
        answer = gateway.post(event("probe"), source)
        return answer.json() if answer.status_code == status else None

    return eventually(asked)


def test_a_source_lives_and_changes_while_the_gateway_runs(gateway: GatewayProcess) -> None:
    source = gateway.source(EVENTS)
    until(gateway, source, 200)
    gateway.store.set(source, {"enabled": False}, "off", "tests")
    assert until(gateway, source, 403)["code"] == "disabled_source"
    gateway.store.set(source, {"enabled": True, "rate": 0.001}, "slow", "tests")
    assert until(gateway, source, 429)["code"] == "too_fast"
    gateway.store.set(source, {"rate": None, "max_bytes": 20}, "small", "tests")
    assert until(gateway, source, 400)["code"] == "too_large"
    engine = sql.create_engine(gateway.address)
    with engine.begin() as connection:
        bad = SOURCES.update().where(SOURCES.c.name == source).values(definition="{rubbish", max_bytes=None)
        connection.execute(bad)
    engine.dispose()
    until(gateway, source, 200)
    eventually(lambda: f"the definition of source '{source}'" in gateway.said())
    assert gateway.said().count(f"the definition of source '{source}'") == 1


def test_an_event_ahead_of_the_clock_does_not_drag_time_along(gateway: GatewayProcess) -> None:
    source = gateway.source(EVENTS)
    claimed = now() + 600_000
    assert gateway.post(event("fast", time=claimed), source).is_success
    (found,) = gateway.records(source)
    assert found["claimed_time"] == claimed
    assert found["ts"] == found["time"] <= now()


def test_what_is_refused_is_a_dead_letter(gateway: GatewayProcess, stack: Stack) -> None:
    source = gateway.source(EVENTS)
    sent = event("bad", props={"order_id": 5})
    assert gateway.post([event("good"), sent], source).json()["refused"] == 1
    letters = read_all(stack.settings.kafka, "dead-letters", keyless=True)
    (letter,) = [letter for letter in letters if letter["origin"] == f"gateway/{source}"]
    assert letter["reason"] == "wrong_type"
    assert json.loads(letter["value"]) == sent


def hostile(source: str) -> Iterator[tuple[bytes, dict[str, str]]]:
    yield b" " * 10_000_000, {}
    yield gzip.compress(b" " * 20_000_000), {"content-encoding": "gzip"}
    yield b"[" * 3_000_000, {}
    yield b'{"a":' * 600_000, {}
    yield b"[" + b"{}," * 1_000_000 + b"{}]", {}
    yield b"\xff" * 3_000_000, {}
    yield json.dumps([{"id": n, "type": unique("t"), "props": {"x": "y" * 300}} for n in range(500)]).encode(), {}
    yield b"{}", {"content-type": "application/json; charset=utf-7"}
    yield b"{}", {"webhook-id": "x" * 10_000}


def resident(gateway: GatewayProcess) -> int:
    assert gateway.process is not None
    return psutil.Process(gateway.process.pid).memory_info().rss


@pytest.mark.slow
def test_bodies_that_mean_harm_cost_no_memory(gateway: GatewayProcess) -> None:
    source = gateway.source(EVENTS)

    def all_of_them() -> None:
        for content, headers in hostile(source):
            answer = gateway.post(content, source, **headers)
            assert 400 <= answer.status_code < 500, answer.text
            assert answer.json()["message"]

    for _ in range(2):
        all_of_them()
    settled = resident(gateway)
    for _ in range(3):
        all_of_them()
    assert resident(gateway) - settled < 50_000_000
    until(gateway, source, 200)


def test_a_head_without_end_is_cut_off(gateway: GatewayProcess) -> None:
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    before = resident(gateway)
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(b"POST /v1/events HTTP/1.1\r\n")
        with pytest.raises(OSError):
            send_headers(connection, 2_000)
    assert resident(gateway) - before < 20_000_000


def test_senders_that_go_away_in_the_middle_leave_nothing_behind(gateway: GatewayProcess) -> None:
    source = gateway.source(EVENTS)
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: {source}\r\ncontent-length: 1000000\r\n\r\n"
    for _ in range(200):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(head.encode() + b"[" * 500_000)
    # half a megabyte each, of 64 that all may hold: had any stayed, there would be no room
    until(gateway, source, 200)
    assert "Traceback" not in gateway.said()


def send_headers(connection: socket.socket, count: int) -> None:
    for number in range(count):
        connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 10_000))


def test_it_stops_in_order(stack: Stack, tmp_path: Path) -> None:
    with running(tmp_path, stack.settings.kafka) as process:
        assert process.post(event("last"), process.source(EVENTS)).is_success
        assert process.stop() == 0
        assert "Traceback" not in process.said()
