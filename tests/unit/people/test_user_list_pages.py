"""A list of any length is read page by page, by the command and on the console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.profiles.user_lists import UserLists
from kairos.usecases.people import user_lists
from tests.unit.cli.cli_kit import run

USERS = [f"u{number:02}" for number in range(23)]


class Sets:
    """Redis with one set, which it gives in the order of `USERS` turned round."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def scard(self, _key: str) -> int:
        return len(USERS)

    def sscan(self, _key: str, place: int, count: int) -> tuple[int, list[bytes]]:
        self.asked.append((place, count))
        after = place + min(count, 10)
        found = [user.encode() for user in USERS[::-1][place:after]]
        return after if after < len(USERS) else 0, found

    def sadd(self, _key: str, *users: str) -> int:
        return len(users)

    def __enter__(self) -> Sets:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch) -> Sets:
    there = Sets()
    monkeypatch.setattr(user_lists, "connect", lambda _address: there)
    return there


@pytest.fixture
def conf(tmp_path: Path, sets: Sets) -> Path:
    store = f"sqlite:///{tmp_path / 'l.db'}"
    engine = open_engine(store)
    create_tables(engine)
    UserLists(engine, sets).put("black", ["u22", "u03"], added=True, reason="by mail", by="ann", now=0)  # type: ignore[arg-type]
    engine.dispose()
    file = tmp_path / "conf.yaml"
    file.write_text(json.dumps({"profiles": {"redis": "redis://x"}, "delivery": {"store": store}}))
    return file


def test_the_command_shows_each_member_once_whatever_the_number(conf: Path, sets: Sets) -> None:
    shown = run("list", "show", "black", "--conf", conf)
    lines = shown.stdout.splitlines()
    assert sorted(line.split()[0] for line in lines) == USERS
    assert [line.split(None, 1)[1] for line in lines if line.startswith(("u22 ", "u03 "))] == [
        "1970-01-01 00:00 UTC by ann: by mail"
    ] * 2
    assert [place for place, _ in sets.asked] == [0, 10, 20]


def test_a_page_knows_the_whole_number_and_the_next(conf: Path) -> None:
    from kairos.adapters.settings.delivery import load

    page = user_lists.members(load(conf), "black", 10, 5)
    assert ([each.user_id for each in page.members], page.size, page.after) == (USERS[8:13], 23, 15)
