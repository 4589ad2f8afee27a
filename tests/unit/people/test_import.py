"""`kairos people import`: any table, tried first, resumed where it stopped, never against a refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from kairos.adapters.profiles.imports import Changed, FileImporting
from kairos.errors import KairosError
from kairos.usecases.control.rights import Actor
from kairos.usecases.people.import_file import BATCH, Wanted, import_people
from tests.unit.people.conftest import PROFILES, Place
from tests.unit.warehouse.warehouse_kit import NOON

CRM = """CustomerNo,E-Mail,Tier,Notes,No SMS
u1,ann@new.example.com,4,likes tea,
u2,,2,,sms
u9,new@example.com,1,,
"""


def crm(place: Place, text: str = CRM) -> Path:
    file = place.folder / "crm.csv"
    file.write_text(text)
    (place.folder / "rules" / "profile.yaml").write_text("level: integer\nname: string\n")
    return file


MAP = ("--map", "user_id=CustomerNo", "--map", "email=E-Mail", "--map", "level=Tier", "--map", "unsubscribed=No SMS")


def test_a_dry_run_tells_what_would_be_and_writes_nothing(place: Place) -> None:
    done = place.people("import", str(crm(place)), *MAP, "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "3 users: 1 would be new, 2 would be changed, 0 as they are"
    assert place.read() == PROFILES


def test_what_the_table_says_is_added_and_everything_else_stays(place: Place) -> None:
    assert place.people("import", str(crm(place)), *MAP, "--source", "crm").exit_code == 0
    profiles = place.read()
    assert profiles["u1"].items() >= {
        "name": "Ann", "email": "ann@new.example.com", "level": 4, "score_alive": 0.75, "unsubscribed": ["sms"],
    }.items()  # fmt: skip
    assert (profiles["u2"]["email"], profiles["u2"]["unsubscribed"]) == ("bob@example.com", ["sms"])
    assert profiles["u9"]["level"] == 1
    assert set(profiles["u1"]["origins"]) == {"email", "level"}
    assert profiles["u1"]["origins"]["email"].startswith("import crm ")
    shown = json.loads(place.people("show", "u1", "--format", "json").stdout)
    origins = {fact["name"]: fact["origin"] for fact in shown["profile"]}
    assert origins["level"].startswith("import crm ")
    assert origins["name"] == place.profiles.name
    again = place.people("import", str(crm(place)), *MAP, "--source", "crm")
    assert again.stdout.splitlines()[0] == "3 users: 0 were new, 0 were changed, 3 as they are"


def test_rows_that_are_wrong_are_told_with_their_line_and_left_out(place: Place) -> None:
    file = crm(place, "user_id,level,lists\nu1,high,\nu2,5,\n,7,\nu9,bad,black\n")
    done = place.people("import", str(file))
    assert done.exit_code == 1
    assert [line.partition("crm.csv")[2] for line in done.stderr.splitlines()] == [
        ":2: level: an integer is expected; the row is left out",
        ":4: 'user_id' must be text; the row is left out",
        ":5: level: an integer is expected; the row is left out, but for lists",
    ]
    profiles = place.read()
    assert (profiles["u1"]["level"], profiles["u2"]["level"]) == (3, 5)
    assert profiles["u9"]["lists"] == ["black"], "what closes counts all the same"


def test_no_refusal_is_taken_back(place: Place) -> None:
    place.write({"u1": {"unsubscribed": ["sms"], "lists": ["black"], "consents": {"news": {"on": False}}}})
    file = place.folder / "people.json"
    given = {"unsubscribed": [], "lists": ["white"], "consents": {"news": {"on": True}}}
    file.write_text(json.dumps({"u1": given}))
    (place.folder / "rules" / "profile.yaml").write_text("consents: object\nlevel: integer\n")
    done = place.people("import", str(file))
    assert done.exit_code == 1, done.stderr
    assert "white is given by people" in done.stderr
    assert "lists                   kept 1, stricter than the file" in done.stdout
    assert place.read()["u1"] == {"unsubscribed": ["sms"], "lists": ["black"], "consents": {"news": {"on": False}}}


def test_parquet_and_json_say_the_same_as_csv(place: Place, tmp_path: Path) -> None:
    crm(place)
    table = pyarrow.table({"CustomerNo": ["u1"], "Tier": [7], "Notes": ["x"]})
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet")
    (tmp_path / "p.json").write_text('{"u1": {"Tier": 8, "Notes": "x"}}')
    named = ("--map", "user_id=CustomerNo", "--map", "level=Tier")
    assert place.people("import", str(tmp_path / "p.parquet"), *named).exit_code == 0
    assert place.read()["u1"]["level"] == 7
    assert place.people("import", str(tmp_path / "p.json"), "--map", "level=Tier").exit_code == 0
    assert place.read()["u1"]["level"] == 8
    assert "Notes" not in place.read()["u1"]


def test_a_column_that_is_not_there_is_named(place: Place) -> None:
    done = place.people("import", str(crm(place)), "--map", "user_id=CustomerNo", "--map", "level=Teir")
    assert done.exit_code == 2
    assert "there is no column 'Teir'; there are CustomerNo, E-Mail, Tier, Notes, No SMS" in done.stderr


class Failing(FileImporting):
    """Goes away after so many calls."""

    def __init__(self, path: Path, calls: int) -> None:
        super().__init__(path)
        self.calls, self.users = calls, 0

    def apply(self, given: Mapping[str, Mapping[str, Any]], origin: str, *, dry_run: bool) -> Iterator[Changed]:
        if self.calls == 0:
            raise KairosError("the store went away")
        self.calls -= 1
        for changed in super().apply(given, origin, dry_run=dry_run):
            self.users += 1
            yield changed


@pytest.mark.parametrize("before", [0, 1, 2])
def test_an_import_that_was_stopped_goes_on_where_it_was(tmp_path: Path, before: int) -> None:
    file, notes, people = tmp_path / "f.csv", tmp_path / "notes", tmp_path / "people.json"
    count = 3 * BATCH - 10
    file.write_text("user_id,level\n" + "".join(f"u{n},{n}\n" for n in range(count)))
    wanted, said = Wanted(file, {}, {"level": "integer"}, "crm", NOON, Actor("ann")), list[str]()
    with pytest.raises(KairosError, match="went away"):
        import_people(wanted, Failing(people, before), notes, lambda *_: said.append("?"))
    second = Failing(people, 9)
    done = import_people(wanted, second, notes, lambda *_: said.append("?"))
    assert (done.skipped, second.users) == (before * BATCH, count - before * BATCH)
    assert {user: profile["level"] for user, profile in json.loads(people.read_text()).items()} == {
        f"u{n}": n for n in range(count)
    }
    assert list(notes.iterdir()) == [], "what is done needs no note"
    assert import_people(wanted, second, notes, lambda *_: None).skipped == 0
    assert said == []
