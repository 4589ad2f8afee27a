"""Signing in by an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kairos.adapters.settings.api import Api, ApiSettings, Oidc, Rules
from kairos.apps.api.process import api_of
from tests.unit.api.conftest import URL, Browser
from tests.unit.api.provider import OTHER, FakeProvider, provider_at
from tests.unit.control.desk import Desk

CALLBACK = "/api/v1/oidc/callback"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with provider_at("127.0.0.1") as fake:
        yield fake


@pytest.fixture
def browser(desk: Desk, provider: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Browser:
    monkeypatch.setenv("OIDC_SECRET", "s3cret")
    oidc = Oidc(provider.issuer, "kairos", {"env": "OIDC_SECRET"})
    settings = ApiSettings(Api(url=URL, oidc=oidc), Rules(desk.store), place=str(tmp_path / "conf.yaml"))
    return Browser(api_of(settings, lambda: desk.now).app())


def leave(browser: Browser, provider: FakeProvider) -> str:
    """The `state` that the provider is told."""
    said = browser.get("/api/v1/oidc/start", follow_redirects=False)
    assert said.status_code == 303
    sent = urlsplit(said.headers["location"])
    assert f"{sent.scheme}://{sent.netloc}{sent.path}" == f"{provider.issuer}/authorize"
    provider.asked = {name: values[0] for name, values in parse_qs(sent.query).items()}
    assert provider.asked["redirect_uri"] == URL + CALLBACK
    return provider.asked["state"]


def come_back(browser: Browser, state: str, code: str = "c0de") -> int:
    said = browser.get(CALLBACK, params={"state": state, "code": code}, follow_redirects=False)
    if said.status_code == 200:
        assert said.headers["refresh"] == f"0;url={URL}/"
    return said.status_code


def test_whoever_the_provider_vouches_for_has_the_rights_that_stand_here(
    browser: Browser, provider: FakeProvider
) -> None:
    assert come_back(browser, leave(browser, provider)) == 200
    assert browser.get("/api/v1/session").json()["roles"] == ["author"]


LIES: list[tuple[str, dict[str, Any]]] = [
    ("another sign-in's nonce", {"lies": {"nonce": "x"}}),
    ("for another client", {"lies": {"aud": "shop"}}),
    ("by another provider", {"lies": {"iss": "https://evil.test"}}),
    ("over", {"lies": {"exp": 1_000_000_000}}),
    ("of a mail address that nobody has verified", {"lies": {"email_verified": False}}),
    ("of nobody", {"lies": {"email": ""}}),
    ("of whom there is no user", {"lies": {"email": "mallory"}}),
    ("signed by another key", {"key": OTHER}),
    ("signed with the secret that both have", {"key": "s3cret" * 8, "algorithm": "HS256"}),
    ("not signed at all", {"key": None, "algorithm": "none"}),
]


@pytest.mark.parametrize("lie", [lie for _, lie in LIES], ids=[name for name, _ in LIES])
def test_a_token_that_is_not_what_it_ought_to_be_lets_nobody_in(
    browser: Browser, provider: FakeProvider, lie: dict[str, Any]
) -> None:
    for name, value in lie.items():
        setattr(provider, name, value)
    assert come_back(browser, leave(browser, provider)) == 403
    assert browser.get("/api/v1/session").status_code == 401


def test_a_sign_in_that_was_begun_elsewhere_ends_here(browser: Browser, provider: FakeProvider) -> None:
    state = leave(browser, provider)
    assert come_back(browser, "x" + state) == 400
    assert come_back(browser, state, code="guessed") == 502
    browser.cookies.clear()
    assert come_back(browser, state) == 400
    assert browser.get("/api/v1/session").status_code == 401
