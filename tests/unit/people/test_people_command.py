"""`kairos people find, show, merge, forget, index`, over files."""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sql

from kairos.adapters.delivery.tables import LEDGER
from kairos.adapters.search.sqlite import SqliteSearch
from kairos.adapters.warehouse.rows import event_reader, read_decision
from kairos.engine.rule.model import RuleSet
from kairos.usecases.people.find import find
from kairos.usecases.people.index import Following, claims_of
from tests.unit.cli.cli_kit import run
from tests.unit.people.conftest import Place
from tests.unit.warehouse.warehouse_kit import DAY, NOON, decision, event


def test_a_person_is_found_by_what_one_has_of_her(place: Place) -> None:
    place.fill()
    assert place.people("index").exit_code == 0
    for text in ("u1", "ann@example.com", "d-77", "A-20417"):
        done = place.people("find", text, "--format", "json", rules=False)
        assert [one["user_id"] for one in json.loads(done.stdout)] == ["u1"], text
    assert place.people("find", "+44 7700 900 123", rules=False).stdout.startswith("u2 ")
    assert place.people("find", "u3", rules=False).exit_code == 0
    nobody = place.people("find", "zed@example.com", rules=False)
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "nobody is found by zed@example.com: what is searched is made by kairos people index" in nobody.stderr


def test_no_address_in_clear_is_in_the_store(place: Place) -> None:
    place.fill()
    assert place.people("index").exit_code == 0
    stored = (place.folder / "w.search.db").read_bytes()
    assert b"A-20417".lower() in stored
    assert b"example.com" not in stored
    assert b"7700900123" not in stored


def test_all_that_is_known_is_shown_with_its_origin(place: Place) -> None:
    place.fill()
    place.ledger("sent", "retry")
    person = json.loads(place.people("show", "u1", "--format", "json").stdout)
    told = place.profiles.name
    assert {fact["name"]: fact["value"] for fact in person["profile"]} == {
        "name": "Ann", "email": "ann@example.com", "level": 3,
    }  # fmt: skip
    assert {fact["origin"] for fact in person["profile"]} == {told}
    assert person["identities"] == [{"name": "device_id", "value": "d-77", "origin": "events, last 2026-10-31"}]
    assert person["crowds"] == [{"name": "friends", "value": True, "origin": "crowds.yaml"}]
    assert person["consents"] == [{"name": "unsubscribed", "value": ["sms"], "origin": told}]
    assert (person["scores"], person["grade"]) == ({"alive": 0.75}, "A")
    assert [(one["activity"], one["why"]) for one in person["pending"]] == [
        ("news", "held: quiet_hours"), ("hello", "email: retry"),
    ]  # fmt: skip
    assert [(one["activity"], one["outcome"], one["reason"]) for one in person["decisions"]] == [
        ("news", "hold", "quiet_hours"), ("hello", "send", None),
    ]  # fmt: skip
    lines = place.people("show", "u2").stdout
    assert "grade                   D" in lines
    assert "black" in lines
    assert "news                    suppress sms blacklist" in lines


def test_somebody_of_whom_nothing_is_known_is_told_so(place: Place) -> None:
    place.fill()
    done = place.people("show", "u9")
    assert done.exit_code == 2
    assert "nothing is known of a user 'u9'" in done.stderr


def test_two_ids_become_one_person_and_the_stricter_counts(place: Place) -> None:
    place.fill()
    assert place.people("index").exit_code == 0
    assert place.people("merge", "u2", "u1").exit_code == 0
    profiles = place.read()
    both = profiles["u2"]
    assert both["name"] == "Ann", "what only the other had"
    assert both["email"] == "bob@example.com"
    assert (both["unsubscribed"], both["lists"], both["crowds"]) == (["sms"], ["black"], ["staff"])
    assert both["merged"]["from"] == ["u1"]
    assert both["merged"]["once"] == {"hello": NOON - 2 * 86_400_000}
    assert both["origins"]["name"].startswith("merged with u1 ")
    assert profiles["u1"] == {"merged_into": "u2", "unsubscribed": ["all"], "lists": ["black"]}
    assert place.people("merge", "u2", "u1").exit_code == 0, "said again it is complete"
    assert place.read()["u2"]["merged"] == both["merged"]
    found = json.loads(place.people("find", "u1", "--format", "json", rules=False).stdout)
    assert {one["user_id"] for one in found} == {"u1", "u2"}
    assert "was also u1" in place.people("show", "u2").stdout
    assert "is u2 now" in place.people("show", "u1").stdout
    wrong = place.people("merge", "u3", "u1")
    assert (wrong.exit_code, "'u1' was merged into 'u2'" in wrong.stderr) == (2, True)
    assert place.people("merge", "u2", "u2").exit_code == 2


def test_a_person_is_forgotten_everywhere(place: Place) -> None:
    place.fill()
    engine = place.ledger("sent", "retry", "reserved")
    assert place.people("index").exit_code == 0
    done = place.people("forget", "u1", rules=False)
    assert done.exit_code == 1, "a message is under way"
    with engine.begin() as connection:
        rows = connection.execute(sql.select(LEDGER).order_by(LEDGER.c.occurrence)).mappings().all()
        assert [row["state"] for row in rows] == ["sent", "recalled", "reserved"]
        assert [row["user_id"] for row in rows] == ["", "", "u1"]
        assert [row["provider_id"] for row in rows] == [None, None, "p-1"]
        connection.execute(LEDGER.update().values(state="sent"))
    assert place.people("forget", "u1", rules=False).exit_code == 0
    for path in place.folder.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".jsonl", ".db"):
            assert b"ann@example.com" not in path.read_bytes(), path
    assert "u1" not in place.read()
    assert place.people("find", "A-20417", rules=False).exit_code == 1
    again = place.people("forget", "u1", rules=False)
    assert (again.exit_code, again.stderr) == (0, "u1: there is nothing about this user\n")
    assert place.people("show", "u2").exit_code == 0


def test_the_store_follows_what_is_loaded(tmp_path: Path) -> None:
    store = SqliteSearch(tmp_path / "s.db")
    following = Following(store, claims_of(RuleSet()))
    rows = [
        event_reader(None)(json.dumps(event(props={"device_id": "d-9"})).encode()),
        read_decision(json.dumps(decision(data={"order_id": "A-20417"})).encode()),
        read_decision(json.dumps(decision(NOON - 91 * DAY, occurrence="o2", data={"order_id": "A-1"})).encode()),
    ]
    for _ in range(2):
        following.written(rows, {"u1": {"email": "ann@example.com"}})
    assert [one.user_id for one in find(store, "ann@example.com")] == ["u1"]
    assert [one.user_id for one in find(store, "d-9")] == ["u1"]
    assert [one.user_id for one in find(store, "A-20417")] == ["u1"]
    assert len(store.find(["a-20417"], 9)) == 1
    assert find(store, "A-1") == [], "older than what is kept"
    store.close()


def test_crowds_are_built_in_the_warehouse_that_the_configuration_names(
    place: Place,
) -> None:
    """Where the job, the count of a blast and the console look for them."""
    place.fill()
    (place.folder / "rules" / "crowds.yaml").write_text("vip: {members: kept}\n")
    (place.folder / "vip.csv").write_text("user_id\nu1\nu2\n")
    words = ("vip", place.folder / "vip.csv", "--rules", place.folder / "rules", "--conf", place.conf)
    done = run("crowds", "import", *words)
    assert done.exit_code == 0, done.output
    assert (place.folder / "w" / ".crowds" / "live.db").exists()
    assert not (place.folder / "data").exists()
    (place.folder / "vip.csv").write_text("user_id\n")
    refused = run("crowds", "import", *words)
    assert (refused.exit_code, refused.stdout.splitlines()[-1].split()[-2:]) == (1, ["rejected:", "empty"])
    assert refused.stderr == "vip: nobody would be in it: --allow-empty lets it pass, once\n"
    for asked in (("export", "vip"), ("overlap", "vip", "vip")):
        by_conf, by_folder = (
            run("crowds", *asked, "--rules", place.folder / "rules", *given)
            for given in (("--conf", place.conf), ("--warehouse", place.folder / "w"))
        )
        assert (by_conf.exit_code, by_conf.stdout) == (0, by_folder.stdout), by_conf.output
