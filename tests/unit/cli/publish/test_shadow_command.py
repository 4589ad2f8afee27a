"""`shadow:` and `state: shadow` from the rule file to `kairos shadow`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.rules.files import read_folder
from kairos.adapters.rules.store import open_rule_store
from kairos.engine.event import decode
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from kairos.engine.rule.release import activity_version
from tests.unit.cli.cli_kit import MINUTE, UNPAID, order, run, write_events

ACTIVITY = "activities/orders/order_unpaid.yaml"
LIVE = UNPAID.replace("state: draft", "state: live")
TRIED = LIVE.replace("amount >= 50", "amount != 60")


def version_of(folder: Path) -> str:
    rules = load(read_folder(folder)).rules
    assert rules is not None
    return activity_version(rules.activities["order_unpaid"])


@pytest.fixture
def store(rules: Path) -> str:
    return f"sqlite:///{rules.parent}/kairos.db"


@pytest.fixture
def tried(rules: Path, store: str) -> Path:
    """A folder with another version of the activity. What is in force is published with it beside, as the first
    release, which holds since ever."""
    folder = shutil.copytree(rules, rules.parent / "tried")
    (folder / ACTIVITY).write_text(TRIED)
    (rules / ACTIVITY).write_text(LIVE.replace("state: live", f"state: live\nshadow: '{version_of(folder)}'"))
    done = run("publish", rules, "--store", store, "--shadows", folder)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def played(rules: Path, tried: Path, store: str) -> tuple[Path, Path]:
    """Events, and what a job with this release decides of them."""
    told = [order(1, 0), order(2, MINUTE, "u2"), order(3, 2 * MINUTE, "u3"), order(4, 1600 * MINUTE, "u3")]
    told.insert(2, order(5, MINUTE, "u5"))
    told[1]["props"]["amount"], told[2]["props"]["amount"] = 60, 20
    events = write_events(rules.parent, *told, order(2, 2 * MINUTE, "u9", "order_paid"))
    release = open_rule_store(store).latest(0)
    assert release is not None
    simulation = Simulation(release.rules, shadows=release.shadows)
    decisions = rules.parent / "decisions.jsonl"
    given = [decode(msgspec.json.encode(one)) for one in told]
    decisions.write_bytes(msgspec.json.Encoder().encode_lines(simulation.run(given)))
    return events, decisions


def report(store: str, *arguments: object, exit_code: int = 1) -> dict[str, Any]:
    result = run("shadow", "order_unpaid", "--store", store, *arguments, "--format", "json")
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def test_it_says_what_compare_says_of_the_same_events(
    rules: Path, tried: Path, store: str, played: tuple[Path, Path], tmp_path: Path
) -> None:
    events, decisions = played
    found = report(store, "--decisions", decisions, "--out", tmp_path / "shadow")
    (row,) = found["activities"]
    assert (row["same"], row["removed"], row["added"], row["sends_a"], row["users_a"]) == (3, 1, 1, 4, 3)
    assert [(day["day"], day["removed"], day["added"], day["users_a"]) for day in found["days"]] == [
        ("2025-11-22", 1, 1, 3),
        ("2025-11-23", 0, 0, 1),
    ]
    compared = run("compare", rules, tried, events, "--format", "json", "--out", tmp_path / "compare")
    assert json.loads(compared.stdout)["activities"] == found["activities"]
    told, wanted = (
        [json.loads(line) for line in (tmp_path / name / "differences.jsonl").read_text().splitlines()]
        for name in ("shadow", "compare")
    )
    assert [(one["class"], one["cause"], one["occurrence"]) for one in told] == [
        (one["class"], one["cause"], one["occurrence"]) for one in wanted
    ]


def test_the_warehouse_says_the_same_and_measures_leave_it_out(
    rules: Path, store: str, played: tuple[Path, Path], tmp_path: Path
) -> None:
    warehouse = tmp_path / "w"
    files = ["--events", played[0], "--decisions", played[1]]
    loaded = run("warehouse", "load", "--into", warehouse, "--rules", rules, *files)
    assert loaded.exit_code == 0, loaded.output
    assert report(store, "--warehouse", warehouse) == report(store, "--decisions", played[1])
    reach = run("measure", "reach/order_unpaid", "--warehouse", warehouse, "--rules", rules, "--format", "json")
    sends = [row["occurrences"] for row in json.loads(reach.stdout)[0]["rows"] if row["step"] == "send"]
    assert sends == [3], "up to the newest event, and not those of the shadow"


def test_reports_leave_it_out(played: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(played[1], folder / "decisions.jsonl")
    assert " order_unpaid send 4 sms 4 " in " ".join(run("report", folder).stdout.split())


def test_the_table(store: str, played: tuple[Path, Path]) -> None:
    told = run("shadow", "order_unpaid", "--store", store, "--decisions", played[1]).stdout.splitlines()
    assert "live, B order_unpaid@" in told[0]
    assert told[1] == "4 decisions on trial; every send of B counts as delivered"
    assert [line.split()[:4] for line in told[2:6]] == [
        ["day", "same", "added", "removed"],
        ["2025-11-22", "2", "1", "1"],
        ["2025-11-23", "1", "0", "0"],
        ["all", "3", "1", "1"],
    ]
    assert "removed: 1 because of trigger" in told


def test_what_is_not_on_trial_is_said(rules: Path, store: str) -> None:
    run("publish", rules, "--store", store)
    told = run("shadow", "order_unpaid", "--store", store)
    assert (told.exit_code, "nothing of order_unpaid is on trial" in told.stderr) == (2, True)


def test_simulate_plays_a_whole_activity_on_trial(rules: Path, tmp_path: Path) -> None:
    (rules / ACTIVITY).write_text(LIVE.replace("state: live", "state: shadow"))
    out = tmp_path / "d.jsonl"
    assert run("simulate", rules, write_events(tmp_path, order(1, 0)), "--out", out).exit_code == 0
    (record,) = map(json.loads, out.read_text().splitlines())
    assert (record["outcome"], record["shadow"]) == ("send", True)
    assert run("test", rules).exit_code == 0


def test_a_version_that_nobody_knows_is_refused(rules: Path, store: str) -> None:
    (rules / ACTIVITY).write_text(LIVE.replace("state: live", "state: live\nshadow: 0123456789abcdef"))
    told = run("publish", rules, "--store", store)
    assert told.exit_code == 1
    assert "refused: order_unpaid: shadow: no version 0123456789abcdef is known" in told.stdout
