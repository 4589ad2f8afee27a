"""`kairos schedule`, `kairos count` and `kairos publish --expect`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.cli.cli_kit import run

BLAST = """activity: blast
state: live
trigger: {schedule: {at: 2090-12-12T10:00, timezone: UTC}, crowd: gold}
audience: {control_group: holdout}
send: [{channel: email, template: t}, {channel: sms, template: t, after: 1h}]
"""
DAILY = 'activity: daily\nstate: live\ntrigger: {schedule: {daily: "09:00"}}\nsend: [{channel: webhook}]\n'


PEOPLE = {
    "u1": {"level": 3, "email": "one@example.com"}, "u2": {"level": 3, "email": "one@example.com", "phone": "+491"},
    "u3": {"level": 3}, "u4": {"level": 1, "email": "four@example.com"},
    "u5": {"level": 3, "email": "five@example.com", "lists": ["black"]}, "u6": {"level": 4, "phone": "+492"},
}  # fmt: skip
FILES = {
    "activities/t/blast.yaml": BLAST,
    "activities/t/daily.yaml": DAILY,
    "crowds.yaml": "gold: {where: profile.level > 2}\nholdout: {members: [u6]}\n",
    "policy.yaml": "timezone: UTC\nlists: {black: redis}\n",
    "templates/t.email.liquid": "Subject: Hi\n\nHi\n",
    "templates/t.sms.liquid": "Hi\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "people.json").write_text(json.dumps(PEOPLE))
    return tmp_path


def asked(folder: Path, *words: object) -> tuple[int, str]:
    done = run(*words, "--profiles", folder / "people.json")
    return done.exit_code, done.output


def test_schedule_lists_slots_with_their_people(folder: Path) -> None:
    code, text = asked(folder, "schedule", "--rules", folder / "rules", "--days", 2, "--format", "json")
    assert code == 0
    assert [(slot["activity"], slot["slot"][11:], slot["users"]) for slot in json.loads(text)] == [
        ("daily", "09:00", 6), ("daily", "09:00", 6),
    ]  # fmt: skip
    code, text = asked(folder, "schedule", "daily", "--rules", folder / "rules", "--days", 1)
    assert code == 0
    assert " 09:00  daily          6  " in text
    assert asked(folder, "schedule", "blast", "--rules", folder / "rules")[1] == "no slot comes in this time\n"


def test_what_is_usual_is_told_where_a_warehouse_knows_it_and_nowhere_else(folder: Path) -> None:
    words = ("schedule", "--rules", folder / "rules", "--load", "--days", 1, "--warehouse", folder / "none")
    code, text = asked(folder, *words)
    assert (code, text.splitlines()[0].split()) == (0, ["hour", "(UTC)", "channel", "planned"])
    assert "..." not in text
    code, text = asked(folder, *words, "daily")
    assert (code, text) == (2, "kairos: --load tells of all activities together: leave out daily\n")
    (folder / "rules/activities/t/daily.yaml").unlink()
    code, text = asked(folder, *words)
    assert (code, text) == (0, "nothing is planned, and what is usual only a warehouse knows (--warehouse)\n")


def test_count_says_whom_it_reaches_and_what_stops_the_others(folder: Path) -> None:
    (folder / "rules/activities/t/blast.yaml").write_text(BLAST.replace("{at: 2090-12-12T10:00", '{daily: "10:00"'))
    code, text = asked(folder, "count", "blast", "--rules", folder / "rules")
    assert code == 0
    assert (
        text
        == """blast: 5 people matched
  reachable by email: 3
  reachable by sms: 2
  would be sent by email: 1
  would be stopped by blacklist: 1
  would be stopped by duplicate_address: 1
  would be stopped by unreachable: 1
  in the control group: 1
"""
    )
    code, text = asked(folder, "count", "blust", "--rules", folder / "rules")
    assert (code, text) == (2, "kairos: there is no activity blust in these rules; did you mean 'blast'?\n")


def test_a_kept_crowd_of_which_no_snapshot_is_known_is_said(folder: Path) -> None:
    """Nobody matched, and nobody could tell why."""
    (folder / "rules/crowds.yaml").write_text("gold: {members: kept}\nholdout: {members: [u6]}\n")
    code, text = asked(folder, "count", "blast", "--rules", folder / "rules")
    assert code == 0
    assert "blast: 0 people matched" in text
    assert "nobody is known to be in gold: snapshots stand in Redis, or in the file that `profiles.crowds`" in text
    (folder / "rules/crowds.yaml").write_text(FILES["crowds.yaml"])
    assert "snapshots" not in asked(folder, "count", "blast", "--rules", folder / "rules")[1]


def test_a_blast_is_published_with_the_number_of_people_that_is_expected(folder: Path) -> None:
    slot = "  blast goes out at once, to 5 people\n"
    (folder / "rules/activities/t/blast.yaml").write_text(
        BLAST.replace("2090-12-12", f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}")
    )
    publish = ("publish", folder / "rules", "--store", f"sqlite:///{folder}/rules.db", "--no-backtest")
    code, text = asked(folder, *publish)
    assert (code, slot in text, "--expect 5" in text) == (1, True, True)
    assert asked(folder, *publish, "--expect", 8)[0] == 1
    assert asked(folder, *publish, "--dry-run")[0] == 0
    code, text = asked(folder, *publish, "--expect", 5)
    assert (code, "published release 1" in text) == (0, True)
    assert asked(folder, *publish)[1].endswith("nothing to publish\n")
    (folder / "rules/activities/t/blast.yaml").unlink()
    assert asked(folder, *publish)[0] == 0
    rollback = ("rollback", 1, "--store", f"sqlite:///{folder}/rules.db")
    for words, ends, says in (
        ((), 1, "--expect 5"),
        (("--expect", 8), 1, "not within 5% of 5"),
        (("--dry-run",), 0, "not published (--dry-run)"),
        (("--emergency", "--reason", "now"), 1, "--expect 5"),
        (("--expect", 5), 0, "published release 3"),
    ):
        code, text = asked(folder, *rollback, *words)
        assert (code, slot in text, says in text) == (ends, True, True), text


def test_who_cannot_be_counted_is_not_written_to(folder: Path) -> None:
    (folder / "people.json").unlink()
    code, text = asked(folder, "publish", folder / "rules", "--store", f"sqlite:///{folder}/rules.db", "--expect", 5)
    assert (code, "how many people blast reaches cannot be told" in text) == (2, True)
