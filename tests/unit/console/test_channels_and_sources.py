"""Channels and sources on the console: what their commands do, by the same rights, with entries in the log."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kairos.adapters.sources.port import Access, key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.engine.rule.model import EventSchema, Source
from kairos.usecases.control.deeds import deeds
from kairos.usecases.control.verify import verify
from tests.unit.console.conftest import Reader
from tests.unit.console.world import HOSTILE

RECORD = "shop:\n  events:\n    order: {order_id: string!}\n"


@pytest.fixture
def store(local: Reader, tmp_path: Path) -> SqlSourceStore:
    """Of the local console, with one source."""
    store = SqlSourceStore(f"sqlite:///{tmp_path}/sources.db")
    store.put(Source("shop", {"order": EventSchema({"order_id": "string"}, ("order_id",))}), "ann")
    return store


def access(store: SqlSourceStore) -> Access:
    return store.read().entries["shop"].access


# ----------------------------------------------------------------------------------------------------------- channels
def test_a_channel_says_who_serves_it_and_who_writes_on_it(local: Reader) -> None:
    listed, one = local.get("/channels").text, local.get("/channels/console").text
    assert 'href="/channels/console"' in listed
    assert '<a href="/?channel=console">2</a>' in listed
    assert "/activities/cart_left" in one
    assert "kairos channel rate console 50 --conf " in one
    assert local.get("/channels/nothing").status_code == 404


def test_a_rate_is_set_and_lifted_and_stands_in_the_log(local: Reader, tmp_path: Path) -> None:
    assert local.press("/channels/console/rate", rate="12.5").headers["Location"] == "/channels/console"
    assert "at most 12.5 a second" in local.get("/channels").text
    local.press("/channels/console/rate", rate="none")
    local.press("/channels/console/switch", state="paused", reason=HOSTILE)
    text = local.get("/channels/console").text
    assert "no threshold" in text
    assert "<strong>paused</strong>" in text
    assert HOSTILE not in text
    actions = [each.action for each in deeds(f"{tmp_path}/rules", "channel/console")]
    assert actions == ["pause_channel", "limit_channel", "limit_channel"]
    assert verify(f"{tmp_path}/rules").problems == []


def test_what_is_no_rate_changes_nothing(local: Reader) -> None:
    csrf = local.csrf()
    for rate in ("", "0", "-1", "nan", "fast", "1e9"):
        assert local.press("/channels/console/rate", csrf, rate=rate).status_code == 422
    assert "no threshold" in local.get("/channels/console").text


# ------------------------------------------------------------------------------------------------------------ sources
def test_a_source_is_added_as_sources_yaml_has_it(local: Reader) -> None:
    assert "There is no source yet" in local.get("/sources").text
    assert local.press("/sources", record=RECORD).headers["Location"] == "/sources/shop"
    assert "order_id" in local.get("/sources/shop").text
    refused = local.press("/sources", record="shop:\n  evnets: {}\n")
    assert (refused.status_code, "sources.yaml:2:3" in refused.text) == (422, True)


def test_a_source_is_switched_and_limited(local: Reader, store: SqlSourceStore, tmp_path: Path) -> None:
    local.press("/sources/shop/switch", state="paused")
    assert store.read().entries["shop"].source.enabled is False
    local.press("/sources/shop/switch", state="live")
    local.press("/sources/shop/limit", rate="2.5", max_bytes="900", hmac="env:S")
    assert access(store) == Access((), {"env": "S"}, 2.5, 900)
    local.press("/sources/shop/limit", rate="none", max_bytes="", hmac="none")
    assert access(store) == Access((), None, None, 900)
    actions = [each.action for each in deeds(f"{tmp_path}/rules", "source/shop")]
    assert actions == ["limit_source", "limit_source", "source_on", "source_off"]
    text = local.get("/sources/shop").text
    assert "switched off" in text
    assert "The warehouse has no event of it" in text


def test_what_is_no_limit_changes_nothing(local: Reader, store: SqlSourceStore) -> None:
    csrf, forms = local.csrf(), ({}, {"rate": "0"}, {"max_bytes": "2000000"}, {"hmac": "opensesame"})
    for form in forms:
        said = local.press("/sources/shop/limit", csrf, **form)
        assert said.status_code == 422
        assert "opensesame" not in said.text
    assert access(store) == Access()


def test_a_key_is_shown_once_and_can_be_revoked(local: Reader, store: SqlSourceStore) -> None:
    made = local.press("/sources/shop/keys", label=HOSTILE)
    key = re.search(r"<code>(kairos_[\w-]+)</code>", made.text)
    assert key is not None
    assert made.headers["Cache-Control"] == "no-store"
    assert access(store).keys == (key_hash(key[1]),)
    text = local.get("/sources/shop").text
    assert key[1] not in text
    assert HOSTILE not in text
    local.press("/sources/shop/revoke", key=key_hash(key[1])[:8])
    assert access(store).keys == ()
    assert local.press("/sources/shop/revoke", key="00000000").status_code == 422


def test_sources_of_a_rule_folder_are_shown_and_changed_in_its_file(local: Reader, tmp_path: Path) -> None:
    conf = tmp_path / "conf.yaml"
    conf.write_text(re.sub(r"gateway:.*\n", "", conf.read_text()))
    (tmp_path / "rules" / "sources.yaml").write_text(RECORD + "    cart: {}\n    visit: {}\n    purchase: {}\n")
    text = local.get("/sources").text
    assert "rules/sources.yaml" in text
    assert 'action="/sources"' not in text
    assert "order_id" in local.get("/sources/shop").text
    refused = local.press("/sources/shop/switch", state="paused")
    assert (refused.status_code, "edit them there" in refused.text) == (422, True)


# ------------------------------------------------------------------------------------------------------------- rights
def test_who_may_not_sees_no_form_and_changes_nothing(
    signed_in: Callable[[str], Reader], desk: object, tmp_path: Path
) -> None:
    conf = tmp_path / "conf.yaml"
    conf.write_text(
        conf.read_text() + f"delivery: {{store: 'sqlite:///{tmp_path}/delivery.db', channels: "
        "{console: {provider: console}}}\n"
    )
    root, otto, vic = (signed_in(name) for name in ("root", "otto", "vic"))
    assert root.press("/sources", csrf=root.csrf("/"), record=RECORD).status_code == 303
    for path, right in (("/channels/console/rate", "rate"), ("/sources/shop/limit", "rate")):
        assert vic.press(path, csrf=vic.csrf("/"), **{right: "5"}).status_code == 403
        assert otto.press(path, csrf=otto.csrf("/"), **{right: "5"}).status_code == 303
    assert otto.press("/sources", csrf=otto.csrf("/"), record=RECORD).status_code == 403
    assert otto.press("/sources/shop/keys", csrf=otto.csrf("/")).status_code == 403
    assert 'action="/sources/shop/keys"' not in otto.get("/sources/shop").text
    assert 'action="/sources/shop/limit"' in otto.get("/sources/shop").text
    assert "<form" not in vic.get("/channels/console").text.split("<main")[1]
    assert "<form" not in vic.get("/sources/shop").text.split("<main")[1]
