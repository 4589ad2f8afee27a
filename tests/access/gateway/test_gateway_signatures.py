"""Requests that are signed by HMAC, as webhooks are: no key, and each is taken once."""

from __future__ import annotations

import base64
import json

import pytest

from kairos.adapters.channels.webhook import signature
from kairos.adapters.sources.port import Access, Entry, key_hash
from kairos.engine.rule.model import Source
from tests.access.gateway.gateway_kit import NOW, ORDER, SHOP, Kit, code, event

SECRET = b"0123456789abcdef0123456789abcdef"


SIGNED = Entry(Source("hook", ORDER), Access(hmac={"env": "HOOK_SECRET"}))


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
