"""`kairos alarms --replay`: over a warehouse, and over the folder of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.alarms.history import of_warehouse
from kairos.adapters.warehouse.opening import open_engine
from kairos.adapters.warehouse.port import NOTHING, Answer, Parameters
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.usecases.alarms.known import known_of
from tests.unit.alarm.alarm_kit import DAY, HOUR, MINUTE, MONDAY
from tests.unit.cli.cli_kit import run
from tests.unit.warehouse.warehouse_kit import decision, event, fill, receipt

RULES = {"alarms.yaml": "alarms: {SuppressShare: {enabled: false}}\n", "policy.yaml": "timezone: UTC\n"}
BREAK = MONDAY + DAY
"""A day of 60 receipts an hour without a failure, then three hours of them in which all fail."""


def receipts() -> list[dict[str, Any]]:
    return [
        receipt(at, occurrence=str(at), status="failed" if at >= BREAK else "sent")
        for at in range(MONDAY, BREAK + 3 * HOUR, MINUTE)
    ]


def rules(folder: Path) -> Path:
    place = folder / "rules"
    place.mkdir()
    for name, text in RULES.items():
        (place / name).write_text(text)
    return place


def test_over_a_warehouse(tmp_path: Path) -> None:
    fill(tmp_path / "warehouse", receipts=receipts())
    done = run("alarms", "--replay", tmp_path / "warehouse", "--rules", rules(tmp_path))
    assert done.exit_code == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("2026-08-25 00:07  DeliveryFailing: hello by sms  messages failed: ")
    assert line.endswith("docs/runbooks/DeliveryFailing.md")
    assert done.stderr == "1 alarm\n"


def test_in_a_warehouse_too_a_message_counts_once(tmp_path: Path) -> None:
    """Delivered at once, sent and delivered by a report, failed."""
    told = [
        receipt(MONDAY + MINUTE, occurrence="at once", status="delivered"),
        receipt(MONDAY + 2 * MINUTE, occurrence="reported", status="sent"),
        receipt(MONDAY + 3 * MINUTE, occurrence="reported", status="delivered"),
        receipt(MONDAY + 4 * MINUTE, occurrence="failed", status="failed"),
    ]
    fill(tmp_path, receipts=told)
    engine = open_engine(tmp_path)
    facts = [(fact.at - MONDAY, fact.what, fact.n) for fact in of_warehouse(engine)]
    engine.close()
    assert facts == [(MINUTE, "sent", 1), (2 * MINUTE, "sent", 1), (4 * MINUTE, "failed", 1)]


def test_a_warehouse_is_read_day_by_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, receipts=receipts(), decisions=[decision(MONDAY + 3 * DAY)])
    engine, spans = open_engine(tmp_path), set()
    query = engine.query

    def asked(sql: str, parameters: Parameters = NOTHING) -> Answer:
        if "until" in parameters:
            spans.add((parameters["since"], parameters["until"]))
        return query(sql, parameters)

    monkeypatch.setattr(engine, "query", asked)
    since, last = MONDAY + HOUR, MONDAY + 3 * DAY
    facts = list(of_warehouse(engine, since))
    assert spans == {(since, BREAK), (BREAK - 1, BREAK + DAY), (last - 1, last + DAY)}
    assert [fact.at for fact in facts] == [*range(since + MINUTE, BREAK + 3 * HOUR, MINUTE), last]


def test_over_a_run_as_json(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "decisions.jsonl").write_text(json.dumps(decision(MONDAY)) + "\n")
    (folder / "receipts.jsonl").write_text("\n".join(map(json.dumps, receipts())))
    done = run("alarms", "--replay", folder, "--rules", rules(tmp_path), "--format", "json")
    (told,) = map(json.loads, done.stdout.splitlines())
    assert (told["alarm"], told["subject"], told["channel"]) == ("DeliveryFailing", "hello", "sms")
    assert (told["firing"], told["runbook"]) == (True, "docs/runbooks/DeliveryFailing.md")


def test_an_alarm_that_is_off_says_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "warehouse", receipts=receipts())
    place = rules(tmp_path)
    (place / "alarms.yaml").write_text("alarms: {DeliveryFailing: {enabled: false}}\n")
    done = run("alarms", "--replay", tmp_path / "warehouse", "--rules", place)
    assert (done.stdout, done.stderr) == ("", "0 alarms\n")


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_a_place_without_a_history_is_said(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("alarms", "--replay", tmp_path / place, "--rules", rules(tmp_path))
    assert done.exit_code == 2
    assert place in done.stderr


def test_a_simulation_says_what_the_alarms_would_have_said(tmp_path: Path) -> None:
    place = rules(tmp_path)
    activity = """activity: hello
state: live
trigger: {pattern: [{event: open}]}
limits: {budget: {sends: 5}, caps: [], quiet_hours: ignore}
send: [{channel: webhook}]
"""
    (place / "activities" / "a").mkdir(parents=True)
    (place / "activities" / "a" / "hello.yaml").write_text(activity)
    lines = [json.dumps(event(f"e{n}", MONDAY + n * HOUR, user_id=f"u{n}")) for n in range(6)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    where = ("simulate", place, tmp_path / "events.jsonl", "--out", tmp_path / "decisions.jsonl")
    told = run(*where, "--alarms").stderr.splitlines()
    assert "2026-08-24 02:01  BudgetBurn: hello  sends left in the budget: 2; 3 were used in the last 24 h" in told[-1]
    assert not any("BudgetBurn" in line for line in run(*where).stderr.splitlines())


def test_what_alarms_know_of_the_rules() -> None:
    files = {
        "coupons.yaml": b"spring: {codes: coupons/spring.txt}\n",
        "coupons/spring.txt": b"A\nB\n",
        "crowds.yaml": b'lapsing: {where: "profile.vip", refresh: 1d}\n',
        "policy.yaml": b"timezone: Europe/Berlin\nquiet_hours: {from: '22:00', to: '08:00'}\n",
        "activities/a/hello.yaml": b"""activity: hello
state: paused
active: {from: 2026-09-01T00:00, until: 2026-10-01T00:00}
trigger: {pattern: [{event: open}]}
limits: {budget: {sends: 500}}
data: {code: 'coupon("spring")'}
send: [{channel: sms, template: hello}]
""",
        "templates/hello.sms.liquid": b"{{ code }}\n",
    }
    loaded = load(files)
    assert loaded.rules is not None, loaded.findings
    known = known_of(loaded.rules)
    assert (known.zone, known.paused) == ("Europe/Berlin", {"hello"})
    assert (known.budgets, known.pools, known.codes) == ({"hello": 500}, {"hello": ("spring",)}, {"spring": 2})
    assert known.refresh == {"lapsing": DAY}
    assert known.active["hello"] == (1_788_213_600_000, 1_790_805_600_000)
    assert known_of(RuleSet()).zone == "UTC"
