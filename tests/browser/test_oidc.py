"""Signing in by somebody else's word in a real Chromium, to which the provider is another site."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import expect

from kairos.adapters.settings.api import Oidc
from tests.browser.people import add_people
from tests.browser.screens import chromium, free_url, served
from tests.unit.api.provider import provider_at
from tests.unit.console.world import drafts
from tests.unit.control.desk import NOW, desk_in

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_whoever_the_provider_vouches_for_is_signed_in_with_her_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_SECRET", "s3cret")
    desk = desk_in(tmp_path)
    add_people(desk.control)
    settings = drafts(desk, tmp_path, free_url())
    with provider_at("localhost") as provider, chromium() as browser:  # the console is at 127.0.0.1
        oidc = Oidc(provider.issuer, "kairos", {"env": "OIDC_SECRET"})
        api = msgspec.structs.replace(settings.api, oidc=oidc)
        with served(msgspec.structs.replace(settings, api=api), NOW + 60_000) as address:
            page = browser.new_context(base_url=address, locale="en").new_page()
            page.goto("/")
            page.get_by_role("main").get_by_role("link").click()
            assert page.url.startswith(provider.issuer)
            page.get_by_role("link", name="It is me").click()
            expect(page.get_by_role("button", name="Sign out ann")).to_be_visible()
            page.goto("/write")
            expect(page.get_by_role("link", name="activities/shop/nudge.yaml", exact=True)).to_be_visible()
            page.get_by_role("button", name="Sign out ann").click()
            page.goto("/write")
            expect(page.get_by_label("Password")).to_be_visible()
