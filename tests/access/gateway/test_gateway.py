"""The gateway over HTTP: who may send, what is taken, and a clear answer to everything else."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema
import pytest

from kairos.adapters.metrics.declared import PROBLEMS, SHED
from kairos.adapters.sources.port import Access, Entry
from kairos.apps.gateway.openapi import DOCUMENT
from kairos.engine.rule.model import Source
from kairos.usecases.intake.registry import Door
from kairos.usecases.intake.shedding import Shedding
from tests.access.gateway.gateway_kit import APP, LINES, NOW, ORDER, SHOP, Kit, code, event


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer shop-key"},
        {"authorization": "bearer  shop-key "},
        {"x-api-key": "shop-key"},
        {"authorization": "Basic " + base64.b64encode(b"shop-key:").decode()},
    ],
)
def test_an_api_key_says_which_source_it_is(headers: dict[str, str]) -> None:
    kit = Kit()
    answer = kit.post(event(), key=None, headers=headers)
    assert (answer.status_code, answer.json()) == (
        200, {"accepted": 1, "refused": 0, "results": [{"status": "accepted"}]},
    )  # fmt: skip
    (record,) = kit.producer.records
    assert (record.topic, record.key, record.time) == ("events.shop", b"u1", NOW)
    assert json.loads(record.value) == event(source="shop")


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/v1/events", {}, (401, "no_key")),
        ("/v1/events?source=shop", {}, (401, "no_key")),
        ("/v1/events?source=nowhere", {}, (401, "no_key")),
        ("/v1/events", {"x-api-key": "guess"}, (401, "unknown_key")),
        ("/v1/events", {"authorization": "Basic ????"}, (401, "bad_key")),
        ("/v1/events", {"authorization": "Bearer é"}, (401, "unknown_key")),
        ("/v1/events?source=app", {"x-api-key": "shop-key"}, (403, "wrong_source")),
        ("/v1/track", {}, (401, "no_key")),
        ("/v1/elsewhere", {"x-api-key": "shop-key"}, (404, "no_such_path")),
    ],
)
def test_strangers(path: str, headers: dict[str, str], expected: tuple[int, str]) -> None:
    kit = Kit()
    raw = {name: value.encode() for name, value in headers.items()}
    assert code(kit.post(event(), path, key=None, headers=raw)) == expected  # type: ignore[arg-type]
    assert kit.producer.records == []
    assert kit.metrics.value(PROBLEMS, code=expected[1]) == 1


def test_a_source_that_is_switched_off() -> None:
    off = Entry(Source("shop", ORDER, enabled=False), SHOP.access)
    assert code(Kit(off).post(event())) == (403, "disabled_source")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ([event(id="a"), event(id="b")], "application/json"),
        ([event(id="a"), event(id="b")], "application/json; charset=UTF-8"),
        (b"\n".join(json.dumps(event(id=name)).encode() for name in "ab") + b"\r\n\n", LINES),
    ],
)
def test_many_at_once(content: Any, kind: str) -> None:
    kit = Kit()
    answer = kit.post(content, headers={"content-type": kind})
    assert answer.json()["accepted"] == 2
    assert [e["id"] for e in kit.producer.events("events.shop")] == ["a", "b"]


def test_an_event_larger_than_its_source_may_send() -> None:
    small = Entry(SHOP.source, Access(SHOP.access.keys, max_bytes=200))
    kit = Kit(small)
    answer = kit.post([event(), event(props={"order_id": "x" * 200})])
    assert [result.get("reason") for result in answer.json()["results"]] == [None, "too_large"]


def test_a_rate_that_is_changed_while_it_runs() -> None:
    kit = Kit(Entry(SHOP.source, Access(SHOP.access.keys, rate=10)))
    batch = [event(id=str(n)) for n in range(50)]
    assert kit.post(batch).is_success  # two seconds' worth is there, the rest is owed
    refused = kit.post(batch)
    assert code(refused) == (429, "too_fast")
    assert refused.headers["retry-after"] == "3"
    kit.now += 3_001
    assert kit.post(event()).is_success
    assert kit.post(event()).status_code == 429
    kit.store.entries = [SHOP]
    assert kit.post(batch).is_success


def test_the_body_of_a_source_over_its_rate_is_not_read_and_another_source_is_served() -> None:
    kit = Kit(Entry(SHOP.source, Access(SHOP.access.keys, rate=1)), APP)
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(b"asked for")
        yield b"rubbish"

    async def flood(kit: Kit, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/events", json=[event()] * 50, headers={"x-api-key": "shop-key"})).is_success
        refused = await client.post("/v1/events", content=body(), headers={"x-api-key": "shop-key"})
        assert code(refused) == (429, "too_fast")
        assert refused.headers["retry-after"] == "48"
        assert (await client.post("/v1/events", json=event(), headers={"x-api-key": "app-key"})).is_success

    kit.run(flood)
    assert not read
    assert kit.metrics.value(PROBLEMS, code="too_fast") == 1


def test_what_is_refused_for_its_rate_uses_up_no_share() -> None:
    """Two requests whose heads were let in at once: the second comes to nothing, and is nothing of what was done."""
    kit = Kit(Entry(SHOP.source, Access(SHOP.access.keys, rate=1)))
    let_in: list[int] = []

    class Watched(Shedding):
        def lets(self, door: Door, now: int, events: int = 0) -> bool:
            let_in.append(events)
            return super().lets(door, now, events)

    kit.parts = kit.parts._replace(shedding=Watched(250, NOW))
    kit.serve()

    async def two(_: Kit, client: httpx.AsyncClient) -> None:
        both = asyncio.Barrier(2)

        async def body() -> AsyncIterator[bytes]:
            await both.wait()
            yield json.dumps([event()] * 3).encode()

        posts = (client.post("/v1/events", content=body(), headers={"x-api-key": "shop-key"}) for _ in range(2))
        assert sorted(answer.status_code for answer in await asyncio.gather(*posts)) == [200, 429]

    kit.run(two)
    assert let_in == [0, 0, 3]


def test_while_kafka_is_slow_whoever_sends_more_than_its_usual_is_refused_before_its_body_is_read() -> None:
    kit, read = Kit(), []

    async def body() -> AsyncIterator[bytes]:
        read.append(b"asked for")
        yield b"rubbish"

    async def posted(client: httpx.AsyncClient, key: str, content: Any) -> httpx.Response:
        return await client.post("/v1/events", json=content, headers={"x-api-key": key})

    async def flood(kit: Kit, client: httpx.AsyncClient) -> None:
        for _ in range(20):
            kit.now += 500
            assert (await posted(client, "shop-key", event())).is_success
        kit.slow(300)
        many = [event(id=str(n)) for n in range(500)]
        while (refused := await posted(client, "app-key", many)).is_success:
            assert (await posted(client, "shop-key", event())).is_success
        assert code(refused) == (503, "shed")
        assert refused.headers["retry-after"] == "1"
        assert code(await client.post("/v1/events", content=body(), headers={"x-api-key": "app-key"})) == (503, "shed")

    kit.run(flood)
    assert not read
    assert kit.metrics.value(SHED, source="app") == 2
    assert kit.metrics.value(SHED, source="shop") == 0


def test_kafka_is_away() -> None:
    kit = Kit()
    kit.producer.away = True
    answer = kit.post(event())
    assert code(answer) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    kit.producer.away = False
    assert kit.post(event()).is_success


def test_what_it_tells_of_itself() -> None:
    kit = Kit()

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        assert (await client.get("/live")).text == "ok\n"
        assert (await client.get("/ready")).text == "ok\n"
        kit.producer.away = True
        assert (await client.get("/ready")).status_code == 503
        kit.producer.away = False
        await client.post("/v1/events", json=event(), headers={"x-api-key": "shop-key"})
        metrics = (await client.get("/metrics")).text
        assert 'kairos_access_events_total{outcome="accepted",source="shop"} 1.0\n' in metrics
        assert "# TYPE kairos_gateway_requests_total counter\n" in metrics
        document = (await client.get("/openapi.json")).json()
        page = (await client.get("/")).text
        assert all(f"POST {path}<" in page for path in document["paths"])

    kit.run(scene)


def test_before_the_sources_are_known() -> None:
    kit = Kit()

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        kit.registry.ready = False
        assert (await client.get("/ready")).status_code == 503
        answer = await client.post("/v1/events", json=event(), headers={"x-api-key": "shop-key"})
        assert code(answer) == (503, "not_ready")

    kit.run(scene)


def test_every_answer_is_as_the_openapi_document_says() -> None:
    responses = DOCUMENT["paths"]["/v1/events"]["post"]["responses"]
    kit = Kit(max_body=1_000)
    for content, key in ((event(), "shop-key"), (event(id=1), "shop-key"), (b" " * 1_001, "shop-key"), (b"", None)):
        answer = kit.post(content, key=key)
        schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.json(), {**schema, "components": DOCUMENT["components"]})
    jsonschema.validate(event(), {**DOCUMENT["components"]["schemas"]["Event"], "components": DOCUMENT["components"]})
