"""The console in this process: as whoever is at this machine sees it, and over a rule store with users."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kairos.adapters.rules import store_folder
from kairos.adapters.settings.api import Api, ApiSettings, Rules
from kairos.apps.console.process import console_of
from tests.unit.api.conftest import PASSWORD, URL, desk, prepared
from tests.unit.console.world import NOW, shop
from tests.unit.control.desk import Desk

__all__ = ["desk", "prepared"]
HERE = ("127.0.0.1", 40_000)


class Reader(TestClient):
    """A browser. `csrf`: what the forms of the page it reads say."""

    def csrf(self, path: str = "/health") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        return found[1] if found else ""

    def press(self, path: str, csrf: str | None = None, **form: str) -> Response:
        return self.post(path, data={"csrf": self.csrf() if csrf is None else csrf, **form}, follow_redirects=False)


@pytest.fixture(autouse=True)
def _rules_are_whole_once_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody edits them by hand meanwhile, for which each test would wait two seconds."""
    monkeypatch.setattr(store_folder, "FolderRuleStore", partial(store_folder.FolderRuleStore, still=0))


@pytest.fixture
def local(tmp_path: Path) -> Reader:
    """At this machine, where the rule store has no users."""
    app = console_of(shop(tmp_path), lambda: NOW)
    return Reader(app, base_url="http://127.0.0.1:8090", client=HERE, raise_server_exceptions=False)


@pytest.fixture
def app(desk: Desk, tmp_path: Path) -> Starlette:
    conf, profiles = tmp_path / "conf.yaml", tmp_path / "profiles.json"
    profiles.write_text('{"u1": {"phone": "+447700900123", "level": 3}}')
    conf.write_text(f"rules: {{store: '{desk.store}'}}\nprofiles: {{file: {profiles}}}\n")
    section = Api(url=URL, rules=str(tmp_path / "no-rules"))
    return console_of(ApiSettings(section, Rules(desk.store), place=str(conf)), lambda: desk.now)


@pytest.fixture
def signed_in(app: Starlette) -> Callable[[str], Reader]:
    def enter(name: str) -> Reader:
        reader = Reader(app, base_url=URL, raise_server_exceptions=False)
        form = {"name": name, "password": PASSWORD}
        said = reader.post("/sign-in", data=form, follow_redirects=False)
        assert said.status_code == 303, said.text
        return reader

    return enter
