"""`kairos audit` as it is called: what it prints, its exit codes, and what it cannot look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kairos.adapters.files.run_folder import Origin, write_origin
from kairos.apps.cli import app
from kairos.engine.rule.load import load
from tests.unit.audit.story import BASE, POLICY, Story, activity


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with rules and profiles, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KAIROS_DATA", raising=False)
    for name in ("plain", "free"):
        place = tmp_path / "rules" / "activities" / "a" / f"{name}.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(activity(name, **({"caps": []} if name == "free" else {})))
    (tmp_path / "rules" / "policy.yaml").write_text(POLICY)
    (tmp_path / "rules" / "templates").mkdir()
    for channel in ("sms", "email"):
        (tmp_path / "rules" / "templates" / f"t.{channel}.liquid").write_text("hi")
    (tmp_path / "profiles.json").write_text(json.dumps({"u1": {"timezone": "Europe/Berlin"}}))
    return tmp_path


def story(world: Path) -> Story:
    files = {str(f.relative_to(world / "rules")): f.read_bytes() for f in (world / "rules").rglob("*") if f.is_file()}
    rules = load(files).rules
    assert rules is not None
    return Story(rules)


def kairos(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def as_json(*arguments: object) -> tuple[int, dict[str, Any]]:
    done = kairos(*arguments, "--format", "json")
    return done.exit_code, json.loads(done.stdout)


def test_a_clean_run_says_how_much_was_looked_at(world: Path) -> None:
    told = story(world)
    told.sent("plain", "0s")
    told.sent("plain", "1h")
    told.write(_folder(world / ".kairos" / "run"))
    done = kairos()
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == f"decisions {world}/.kairos/run"
    assert lines[3] == "looked at 2 decisions, 2 sends, 1 user, 2 ledger rows, 2 calls, 1 release"
    assert "ok no cap overshot 2 sends under caps, 1 user" in lines
    assert "ok every send delivered or explained 2 sends decided, 2 sent" in lines
    assert lines[-1] == "clean"


def test_evidence_is_shown_and_exit_is_1(world: Path) -> None:
    told = story(world)
    for hour in range(4):
        told.sent("plain", f"{hour}h")
    told.write(_folder(world / "run"))
    done = kairos("run", "--show", "1")
    assert done.exit_code == 1
    assert "FOUND  no cap overshot" in done.stdout
    assert "is number 3 under cap m (2 in 1d, rolling)" in done.stdout
    assert "is number 4 under cap m" not in done.stdout
    assert "and 1 more (--show)" in done.stdout
    assert f"occurrence=o2 version={told.decisions[0]['version']} origin=decisions.jsonl:3" in done.stdout
    assert f"calls=1 worker=w key={told.rows[2]['key']}" in done.stdout
    assert "call     number=1 outcome=accepted started_at=2026-11-02T14:00:01.000Z" in done.stdout
    assert done.stdout.splitlines()[-1] == "not clean: 2 violations"


def test_json_has_all_of_it(world: Path) -> None:
    told = story(world)
    told.sent("free", "9h30m")
    told.write(_folder(world / "run"))
    status, clean = as_json("run")
    assert (status, clean["clean"], clean["looked_at"]["sends"]) == (0, True, 1)
    status, spoilt = as_json("run", "--profiles", "profiles.json")
    assert (status, spoilt["clean"]) == (1, False)
    [check] = [check for check in spoilt["checks"] if check["violations"]]
    assert check["check"] == "quiet_hours"
    [evidence] = check["evidence"]
    assert evidence["what"] == "free for u1: call 1 at 2026-11-02T22:30:01.000+01:00, in quiet hours (email)"
    assert evidence["calls"][0]["started_at"] == BASE + 9 * 3_600_000 + 30 * 60_000 + 1_000


def test_an_audit_of_nothing_is_not_clean_silently(world: Path) -> None:
    told = story(world)
    told.decide("plain", "0s", outcome="match")
    told.write(_folder(world / "run"))
    done = kairos("run")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "nothing to judge: 0 sends were decided, and the ledger is empty"


def test_what_cannot_be_looked_at_is_said_with_exit_2(world: Path) -> None:
    told = story(world)
    told.sent("plain", "0s")
    folder = _folder(world / "run")
    told.write(folder)

    def refused(*arguments: object) -> str:
        done = kairos(*arguments)
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        return done.stderr

    assert "elsewhere: no decisions here" in refused("elsewhere")
    assert "the rule folder nowhere: there is no such folder" in refused("run", "--rules", "nowhere")
    assert "nobody.json: No such file or directory" in refused("run", "--profiles", "nobody.json")
    assert "there is no file gone.db" in refused("run", "--rules", "sqlite:///gone.db")
    assert "no.yaml: cannot be read" in refused("run", "--conf", "no.yaml")
    conf = "kafka: {bootstrap: '127.0.0.1:1'}\ndelivery: {store: 'sqlite:///run/delivery.db'}\n"
    (world / "conf.yaml").write_text(conf)
    assert "no Kafka broker answers (127.0.0.1:1: " in refused("--conf", "conf.yaml")
    (folder / "delivery.db").rename(folder / "other.db")
    assert "no ledger: there is no file run/delivery.db" in refused("run")
    (folder / "delivery.db").write_bytes(b"not a database at all, whatever its name says")
    assert "does not answer" in refused("run")
    (folder / "delivery.db").unlink()


@pytest.mark.parametrize(
    "line",
    ["{broken", "[" * 100_000, "null", '{"activity": 1}', '{"recall"', "\ud800"],
    ids=["json", "nested", "null", "field", "cut", "text"],
)
def test_garbage_among_the_decisions_is_named_and_the_rest_is_judged(world: Path, line: str) -> None:
    told = story(world)
    told.sent("plain", "0s")
    told.sent("plain", "1s")
    folder = _folder(world / "run")
    told.write(folder)
    with (folder / "decisions.jsonl").open("a", errors="surrogatepass") as lines:
        lines.write(f"{line}\n")
    done = kairos("run")
    assert "unreadable: 1 in decisions, passed over" in done.stdout
    assert "run/decisions.jsonl:3: " in done.stdout
    assert "looked at 2 decisions" in done.stdout
    assert done.exit_code == 0


@pytest.mark.parametrize("change", [{"at": 10**30}, {"at": -1}, {"at": 2**62}, {"attempt": 2**70}])
def test_numbers_that_no_decision_has(world: Path, change: dict[str, int]) -> None:
    told = story(world)
    told.sent("plain", "0s")
    folder = _folder(world / "run")
    told.write(folder)
    path = folder / "decisions.jsonl"
    (first,) = path.read_text().splitlines()
    path.write_text(first + "\n" + json.dumps({**json.loads(first), **change}) + "\n")
    done = kairos("run")
    assert "unreadable: 1 in decisions" in done.stdout
    assert done.exit_code == 0


def test_a_channel_of_the_configuration_may_resend(world: Path) -> None:
    told = story(world)
    told.decide("free", "0s")
    told.row("sent", "unknown", "accepted")
    told.write(_folder(world / "run"))
    conf = "delivery: {store: 'sqlite:///d.db', channels: {email: {provider: file, resend: RESEND}}}\n"
    for resend, status in (("true", 0), ("false", 1)):
        (world / "conf.yaml").write_text(conf.replace("RESEND", resend))
        assert kairos("run", "--conf", "conf.yaml").exit_code == status


def test_a_configuration_of_a_run_on_files_needs_no_section_of_delivery(world: Path) -> None:
    told = story(world)
    told.sent("free", "9h30m")
    told.write(_folder(world / "run"))
    (world / "conf.yaml").write_text("files: {events: e, output: o}\nprofiles: {file: profiles.json}\n")
    assert kairos("run").exit_code == 0
    done = kairos("run", "--conf", "conf.yaml")
    assert (done.exit_code, "in quiet hours (email)" in done.stdout) == (1, True), done.output


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_a_run_is_judged_by_the_profiles_it_was_made_with(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 22:30 in UTC it is half past seven in Tokyo; the configuration's paths are those of the run's folder."""
    told = story(world)
    told.sent("plain", "10h30m")
    folder = _folder(world / "run")
    told.write(folder)
    (world / "my.json").write_text(json.dumps({"u1": {"timezone": "Asia/Tokyo"}}))
    (world / "my.yaml").write_text("files: {events: e, output: o}\nprofiles: {file: elsewhere.json}\n")
    write_origin(folder, Origin(str(world / "my.yaml"), ["profiles.file=my.json"], str(world)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    done = kairos(folder)
    assert "FOUND  nothing sent in quiet hours" in done.stdout, done.output
    (world / "my.json").write_text(json.dumps({"u1": {"timezone": "Asia/Kolkata"}}))
    assert "in quiet hours (email)" in kairos(folder).stdout
    (world / "my.json").write_text(json.dumps({"u1": {"timezone": "Australia/Sydney"}}))
    assert kairos(folder).exit_code == 0
    (world / "my.yaml").unlink()
    gone = kairos(folder)
    assert (gone.exit_code, gone.stdout) == (2, "")
    assert "my.yaml: cannot be read: No such file or directory; --conf names another configuration" in gone.stderr
