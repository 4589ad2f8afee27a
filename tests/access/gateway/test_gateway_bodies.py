"""Bodies of the gateway: compressed, broken, endless, slow, too many at once."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kairos.adapters.metrics.declared import REQUESTS
from tests.access.gateway.gateway_kit import LINES, Kit, code, event

UTF_16 = json.dumps(event()).encode("utf-16")


def test_gzip() -> None:
    kit = Kit()
    assert kit.post(gzip.compress(json.dumps(event()).encode()), headers={"content-encoding": "gzip"}).is_success
    assert len(kit.producer.records) == 1


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b"", {}, (400, "not_json")),
        (b"not json", {}, (400, "not_json")),
        (b"[1, 2", {}, (400, "not_json")),
        (b"\n \n", {"content-type": LINES}, (400, "not_json")),
        (b"[" * 100_000, {}, (400, "too_deep")),
        (b'{"a":' * 100_000, {}, (400, "too_deep")),
        (b'{"props":' + b"[" * 60 + b"]" * 60 + b"}", {}, (400, "too_deep")),
        (UTF_16, {}, (400, "not_json")),
        (UTF_16, {"content-type": "application/json; charset=utf-16"}, (415, "wrong_charset")),
        (json.dumps(event(id="é"), ensure_ascii=False).encode("latin-1"), {}, (400, "not_json")),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded"}, (415, "wrong_type")),
        (b"{}", {"content-encoding": "br"}, (415, "wrong_encoding")),
        (b"{}", {"content-encoding": "gzip"}, (400, "bad_gzip")),
        (gzip.compress(b"[]" * 1000, mtime=0)[:-9], {"content-encoding": "gzip"}, (400, "bad_gzip")),
        (b" " * 10_000_001, {}, (413, "too_large")),
        (gzip.compress(b" " * 10_000_000, mtime=0), {"content-encoding": "gzip"}, (413, "too_large")),
        (b"[" + b",".join([b"1"] * 10_001) + b"]", {}, (413, "too_many")),
        (b"\n" * 10_001, {"content-type": LINES}, (413, "too_many")),
    ],
)  # fmt: skip
def test_bodies_that_are_none(content: bytes, headers: dict[str, str], expected: tuple[int, str]) -> None:
    kit = Kit()
    answer = kit.post(content, headers=headers)
    assert code(answer) == expected
    assert answer.json()["message"]
    assert kit.producer.events("events.shop") == []
    assert kit.room.used == 0
    assert kit.metrics.value(REQUESTS, status=str(expected[0])) == 1


def test_a_body_that_is_none_is_kept_as_it_came() -> None:
    kit = Kit()
    kit.post(b'[{"id": "e1"\xff')
    (letter,) = kit.producer.letters
    assert (letter["reason"], letter["encoding"], letter["size"]) == ("not_json", "base64", 13)
    assert base64.b64decode(letter["value"]) == b'[{"id": "e1"\xff'


def test_an_endless_body_is_not_read_to_its_end() -> None:
    kit, read = Kit(max_body=100_000), []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(1)
            yield b" " * 10_000

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/events", content=endless(), headers={"x-api-key": "shop-key"})
        assert code(answer) == (413, "too_large")

    # the transport in process hands over chunk by chunk
    kit.run(scene)
    assert len(read) < 15
    assert kit.room.used == 0


def test_a_body_that_never_ends_to_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kairos.apps.gateway.body.PATIENCE_SECONDS", 0.01)
    kit = Kit()

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        async def stuck() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        answer = await client.post("/v1/events", content=stuck(), headers={"x-api-key": "shop-key"})
        assert code(answer) == (408, "slow")

    kit.run(scene)
    assert kit.room.used == 0


async def _drips(byte: bytes) -> AsyncIterator[bytes]:
    while True:
        yield byte
        await asyncio.sleep(0.001)


def test_a_body_that_drips_earns_no_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kairos.apps.gateway.body.PATIENCE_SECONDS", 0.05)
    kit = Kit()

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/events", content=_drips(b" "), headers={"x-api-key": "shop-key"})
        assert code(answer) == (408, "slow")

    kit.run(scene)
    assert kit.room.used == 0


def half_sent(client: httpx.AsyncClient, path: str, headers: dict[str, str], held: asyncio.Event) -> asyncio.Task[Any]:
    async def stuck() -> AsyncIterator[bytes]:
        yield b" " * 400
        held.set()
        await asyncio.Event().wait()

    return asyncio.create_task(client.post(path, content=stuck(), headers=headers))


@pytest.mark.parametrize(
    ("path", "headers", "sent"),
    [
        ("/v1/batch", {}, 0),  # nobody knows whose: they have a room of their own
        ("/v1/events", {"x-api-key": "app-key"}, 1),  # a source takes half of the room at most
    ],
)
def test_half_sent_bodies_leave_room_for_others(
    path: str, headers: dict[str, str], sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kairos.apps.gateway.body.PATIENCE_SECONDS", 600)
    kit = Kit(max_body=500, memory=1_000)

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        held = asyncio.Event()
        tasks = [half_sent(client, path, headers, held) for _ in range(3)]
        if sent:
            await held.wait()
        done, waiting = set[asyncio.Task[Any]](), {*tasks}
        async with asyncio.timeout(60):
            while len(done) < 3 - sent:
                newly, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                done |= newly
        assert {code(task.result()) for task in done} == {(503, "busy")}
        answer = await client.post("/v1/events", json=event(), headers={"x-api-key": "shop-key"})
        assert answer.is_success
        assert [task.done() for task in waiting] == [False] * sent
        for task in waiting:
            task.cancel()

    kit.run(scene)


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/v1/events", {}, (401, "no_key")),
        ("/v1/events", {"x-api-key": "guess"}, (401, "unknown_key")),
        ("/v1/batch", {"x-api-key": "guess"}, (401, "unknown_key")),
        ("/v1/batch", {"authorization": "Bearer guess"}, (401, "unknown_key")),
    ],
)
def test_credentials_come_before_bodies(path: str, headers: dict[str, str], expected: tuple[int, str]) -> None:
    async def never() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        assert code(await client.post(path, content=never(), headers=headers)) == expected

    Kit().run(scene)


def test_a_gzip_of_several_members() -> None:
    kit = Kit()
    lines = [json.dumps(event(id=str(n))).encode() + b"\n" for n in range(3)]
    packed = b"".join(gzip.compress(line) for line in lines) + b"\0" * 7
    headers = {"content-encoding": "gzip", "content-type": LINES}
    assert kit.post(packed, headers=headers).json()["accepted"] == 3
    assert code(kit.post(packed + b"more", headers=headers)) == (400, "bad_gzip")
    many = b"".join(gzip.compress(b" " * 1_000_000, mtime=0) for _ in range(10))
    assert code(kit.post(many, headers=headers)) == (413, "too_large")
    assert kit.room.used == 0


def test_all_bodies_together_have_a_limit() -> None:
    kit = Kit(memory=1_000)
    assert code(kit.post(b" " * 1_001)) == (503, "busy")
    assert kit.post(event()).is_success
