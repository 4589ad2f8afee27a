"""The API in this process, over a rule store with users, and a browser for each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import argon2
import pytest
from starlette.testclient import TestClient

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import Deed
from kairos.adapters.control.users import User, Users
from kairos.adapters.settings.api import Api as ApiSection
from kairos.adapters.settings.api import ApiSettings, Rules
from kairos.apps.api.process import api_of
from kairos.usecases.control import sign_in, users
from tests.unit.control.desk import NOW, Desk, desk_in

URL = "https://kairos.test"
PASSWORD = "correct horse battery"
PEOPLE = {
    "ann": "author",
    "eve": "reviewer:editor",
    "rita": "reviewer:risk",
    "otto": "operator",
    "vic": "viewer",
    "root": "admin",
}
"""User -> role."""


class Browser(TestClient):
    """Signed in, with what its pages know."""

    def __init__(self, app: object, name: str = "") -> None:
        super().__init__(app, base_url=URL, raise_server_exceptions=False)  # type: ignore[arg-type]
        if name:
            said = self.post("/api/v1/session", json={"name": name, "password": PASSWORD})
            assert said.status_code == 200, said.text
            self.headers["X-CSRF-Token"] = said.json()["csrf"]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A rule store with release 1 and the users; made once, for the making of tables takes most of the time."""
    folder = tmp_path_factory.mktemp("prepared")
    desk = desk_in(folder)
    hasher = argon2.PasswordHasher(1, 8, 1)
    with Control(desk.store) as control:
        for name, role in PEOPLE.items():
            user = User(name, hasher.hash(PASSWORD), role, False, NOW)
            Users(control).add(user, Deed("setup", "add_user", f"user/{name}", NOW))
    with closing(sqlite3.connect(folder / "rules.db")) as known:
        known.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / "rules.db").read_bytes()


@pytest.fixture
def desk(tmp_path: Path, prepared: bytes, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Release 1 is out. Argon2 has next to no work."""
    for module in (sign_in, users):
        monkeypatch.setattr(module, "PasswordHasher", lambda: argon2.PasswordHasher(1, 8, 1))
    (tmp_path / "rules.db").write_bytes(prepared)
    return Desk(tmp_path)


@pytest.fixture
def app(desk: Desk, tmp_path: Path) -> object:
    conf = tmp_path / "conf.yaml"
    profiles = tmp_path / "profiles.json"
    profiles.write_text('{"u1": {"phone": "+447700900123", "level": 3}}')
    conf.write_text(f"rules: {{store: '{desk.store}'}}\nprofiles: {{file: {profiles}}}\n")
    section = ApiSection(url=URL, rules=str(tmp_path / "no-rules"))
    return api_of(ApiSettings(section, Rules(desk.store), place=str(conf)), lambda: desk.now).app()


@pytest.fixture
def browser(app: object) -> Callable[[str], Browser]:
    return lambda name: Browser(app, name)


def json_of(files: dict[str, bytes]) -> dict[str, str]:
    return {path: text.decode() for path, text in files.items()}
