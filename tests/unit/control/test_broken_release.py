"""A store whose newest release does not load: whoever is on duty can do everything, and what runs goes on with the one
before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jobs.checks import first_release
from jobs.settings import load
from kairos.adapters.rules.store import BrokenReleaseError, RuleStoreError, last_good, open_rule_store
from kairos.apps.warehouse.follow import surroundings_of
from kairos.engine.rule.release import Release
from tests.unit.cli.cli_kit import run
from tests.unit.control.desk import Desk, desk_in

BROKEN = """INSERT INTO rule_releases
SELECT number + ?, effective_at, published_at, author, substr(body, 1, 99) FROM rule_releases WHERE number = 1"""


def break_it(desk: Desk, folder: Path, number: int = 2) -> None:
    """Releases 2 to `number` are half of what they should be."""
    with closing(sqlite3.connect(folder / "rules.db")) as database, database:
        for more in range(1, number):
            database.execute(BROKEN, (more,))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = desk_in(tmp_path)
    break_it(made, tmp_path, 3)
    return made


def test_activities_are_looked_at_and_paused(desk: Desk) -> None:
    paused = run("pause", "nudge", "--reason", "wrong link", "--store", desk.store)
    assert (paused.exit_code, "nudge: paused since" in paused.stdout) == (0, True), paused.output
    assert "wrong link" in run("history", "--store", desk.store).stdout


def test_the_release_before_is_published_again(desk: Desk) -> None:
    """Although it differs in nothing from the last good one; once."""
    back = run("rollback", "1", "--store", desk.store)
    assert (back.exit_code, "published release 4" in back.stdout) == (0, True), back.output
    newest = open_rule_store(desk.store).latest(0)
    assert newest is not None
    assert newest.number == 4
    assert "nothing to publish" in run("rollback", "1", "--store", desk.store).stdout


class Shaky:
    """A store that does not answer so many times."""

    def __init__(self, where: str, away: int) -> None:
        self._store, self.away = open_rule_store(where), away

    def latest(self, after: int) -> Release | None:
        if self.away:
            self.away -= 1
            raise RuleStoreError("it does not answer")
        return self._store.latest(after)


def test_the_loader_waits_for_a_first_release_and_keeps_it_while_the_store_is_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As workers and bridges do: it ended, and a supervisor started it again and again."""
    store, waited = Shaky(desk.store, 2), list[str]()
    monkeypatch.setattr("kairos.apps.warehouse.follow.open_rule_store", lambda _where: store)

    def waits(why: str) -> bool:
        waited.append(why)
        return True

    rules = surroundings_of({}, waits).rules
    first = rules()
    assert "nudge" in first.activities
    store.away = 3
    assert [rules() for _ in range(3)] == [first] * 3
    assert (store.away, waited) == (0, ["it does not answer"] * 2)
    store.away = 1
    with pytest.raises(RuleStoreError, match="it does not answer"):
        surroundings_of({}).rules()


def test_what_starts_begins_with_the_one_before_and_says_so(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nudge" in surroundings_of({"rules": {"store": desk.store}}).rules().activities
    settings = load("conf/local.yaml", [f"rules.store={desk.store}"])
    assert first_release(settings).number == 1
    said = capsys.readouterr().err
    assert "release 3 in" in said
    assert "the one before is used" in said


def test_where_all_there_is_is_broken_it_is_said(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    break_it(desk, tmp_path)
    with closing(sqlite3.connect(tmp_path / "rules.db")) as database, database:
        database.execute("DELETE FROM rule_releases WHERE number = 1")
    with pytest.raises(BrokenReleaseError, match="release 2 in"):
        last_good(open_rule_store(desk.store))
    paused = run("pause", "nudge", "--store", desk.store)
    assert (paused.exit_code, "is broken" in " ".join(paused.stderr.split())) == (2, True), paused.output
