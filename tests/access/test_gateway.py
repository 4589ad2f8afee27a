"""The gateway over HTTP: who may send, what is taken, and a clear answer to everything else."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema
import pytest

from kairos.adapters.channels.webhook import signature
from kairos.adapters.sources import Access, Entry, key_hash
from kairos.apps.gateway.openapi import DOCUMENT
from kairos.engine.rule.model import Source
from tests.access.gateway_kit import NOW, ORDER, SHOP, Kit, event

SECRET = b"0123456789abcdef0123456789abcdef"
SIGNED = Entry(Source("hook", ORDER), Access(hmac={"env": "HOOK_SECRET"}))
LINES = "application/x-ndjson"
UTF_16 = json.dumps(event()).encode("utf-16")


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


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
    assert kit.counters.value("kairos_gateway_problems_total", code=expected[1]) == 1


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
    assert kit.counters.value("kairos_gateway_requests_total", status=str(expected[0])) == 1


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
    monkeypatch.setattr("kairos.apps.gateway.body.READ_SECONDS", 0.01)
    kit = Kit()

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        async def stuck() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        answer = await client.post("/v1/events", content=stuck(), headers={"x-api-key": "shop-key"})
        assert code(answer) == (408, "slow")

    kit.run(scene)
    assert kit.room.used == 0


def test_all_bodies_together_have_a_limit() -> None:
    kit = Kit(memory=1_000)
    assert code(kit.post(b" " * 1_001)) == (503, "busy")
    assert kit.post(event()).is_success


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


def test_kafka_is_away() -> None:
    kit = Kit()
    kit.producer.away = True
    answer = kit.post(event())
    assert code(answer) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    kit.producer.away = False
    assert kit.post(event()).is_success


def signed(body: bytes, id_: str = "m1", at: int = NOW // 1000, secret: bytes = SECRET) -> dict[str, str]:
    made = signature(secret, id_, at, body)
    return {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": f"v1,other {made}"}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Kit:
    monkeypatch.setenv("HOOK_SECRET", "whsec_" + base64.b64encode(SECRET).decode())
    return Kit(SIGNED, SHOP)


BODY = json.dumps(event()).encode()
PATH = "/v1/events?source=hook"


def test_a_signed_request_needs_no_key(hook: Kit) -> None:
    assert hook.post(BODY, PATH, key=None, headers=signed(BODY)).is_success
    assert len(hook.producer.events("events.hook")) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (401, "no_signature")),
        (signed(BODY, secret=b"x" * 32), (401, "wrong_signature")),
        (signed(BODY + b" "), (401, "wrong_signature")),
        ({**signed(BODY), "webhook-id": "m2"}, (401, "wrong_signature")),
        ({**signed(BODY), "webhook-signature": "é"}, (401, "wrong_signature")),
        ({**signed(BODY), "webhook-timestamp": "soon"}, (401, "bad_signature")),
        (signed(BODY, at=NOW // 1000 - 301), (401, "old_signature")),
        (signed(BODY, at=NOW // 1000 + 301), (401, "old_signature")),
    ],
)
def test_signatures_that_do_not_hold(hook: Kit, headers: dict[str, str], expected: tuple[int, str]) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    assert code(hook.post(BODY, PATH, key=None, headers=raw)) == expected  # type: ignore[arg-type]
    assert hook.producer.records == []


def test_a_signed_request_is_taken_once(hook: Kit) -> None:
    assert hook.post(BODY, PATH, key=None, headers=signed(BODY)).is_success
    assert code(hook.post(BODY, PATH, key=None, headers=signed(BODY))) == (409, "replayed")
    assert hook.post(BODY, PATH, key=None, headers=signed(BODY, "m2")).is_success
    hook.now += 299_000
    assert code(hook.post(BODY, PATH, key=None, headers=signed(BODY))) == (409, "replayed")


def test_a_signed_request_that_came_to_nothing_may_come_again(hook: Kit) -> None:
    hook.producer.away = True
    assert hook.post(BODY, PATH, key=None, headers=signed(BODY)).status_code == 503
    hook.producer.away = False
    assert hook.post(BODY, PATH, key=None, headers=signed(BODY)).is_success


def test_a_secret_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    answer = Kit(SIGNED).post(BODY, PATH, key=None, headers=signed(BODY))
    assert code(answer) == (503, "no_secret")
    assert "HOOK_SECRET" not in answer.text


def test_with_a_secret_a_key_is_not_enough(hook: Kit) -> None:
    hook.store.entries = [Entry(SIGNED.source, Access((key_hash("k"),), SIGNED.access.hmac))]
    assert code(hook.post(BODY, key="k")) == (401, "no_signature")
    assert hook.post(BODY, key="k", headers=signed(BODY)).is_success


def test_what_it_tells_of_itself() -> None:
    kit = Kit()

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz")).text == "ok\n"
        kit.producer.away = True
        assert (await client.get("/healthz")).status_code == 503
        kit.producer.away = False
        await client.post("/v1/events", json=event(), headers={"x-api-key": "shop-key"})
        metrics = (await client.get("/metrics")).text
        assert 'kairos_access_events_total{outcome="accepted",source="shop"} 1\n' in metrics
        assert "# TYPE kairos_gateway_requests_total counter\n" in metrics
        document = (await client.get("/openapi.json")).json()
        page = (await client.get("/")).text
        assert all(f"POST {path}<" in page for path in document["paths"])

    kit.run(scene)


def test_before_the_sources_are_known() -> None:
    kit = Kit()

    async def scene(kit: Kit, client: httpx.AsyncClient) -> None:
        kit.registry.ready = False
        assert (await client.get("/healthz")).status_code == 503
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
