"""`kairos scores`: fitted, judged, put into the warehouse and into profiles."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from kairos.adapters.files.score_table import ScoreTableError, read_scores
from kairos.usecases.warehouse.care import forget
from tests.unit.cli.cli_kit import run
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill, rows

SCORES = """
alive: {model: mbg_nbd}
worth: {model: mbg_nbd, value: clv, horizon: 90d}
risk: {table: risk.csv, column: risk}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    chance = random.Random(3)
    events = []
    for n in range(120):
        days = sorted({chance.randint(0, 300) for _ in range(chance.choice([1, 1, 2, 3, 8]))})
        events += [
            event(
                f"{n}-{d}",
                NOON - d * DAY,
                type="purchase",
                user_id=f"u{n:03d}",
                props={"amount": chance.randint(5, 50)},
            )
            for d in days
        ]
    fill(tmp_path / "w", events=events)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "policy.yaml").write_text("timezone: UTC\n")
    (tmp_path / "rules" / "scores.yaml").write_text(SCORES)
    (tmp_path / "rules" / "risk.csv").write_text("user_id,risk\nu001,0.25\nu002,\nu003,0.5\n")
    return tmp_path


def options(place: Path) -> list[str]:
    return ["--warehouse", str(place / "w"), "--rules", str(place / "rules")]


def test_a_fit_shows_parameters_quality_and_values(place: Path) -> None:
    done = run("scores", "fit", "alive", *options(place), "--format", "json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["model"], found["n"], len(found["values"])) == (0, "mbg_nbd", 120, 120)
    assert found["parameters"].keys() == {"r", "alpha", "a", "b"}
    assert all(0 <= value <= 1 for value in found["values"].values())
    held_out = found["quality"]["held_out"]
    assert held_out["buyers"] <= 120
    assert held_out["happened"] > 0
    shown = run("scores", "fit", "worth", *options(place)).stdout
    assert shown.startswith("worth: mbg_nbd, 120 users\n  r ")
    assert "gamma" in shown


@pytest.mark.parametrize("name", ["mbg_nbd", "MBG/NBD", "p_alive"])
def test_a_model_needs_no_scores_yaml(place: Path, name: str) -> None:
    found = json.loads(run("scores", "fit", name, *options(place), "--format", "json").stdout)
    assert found["model"] == "mbg_nbd"


def test_a_score_that_is_not_there_is_named_with_those_that_are(place: Path) -> None:
    done = run("scores", "fit", "alife", *options(place))
    assert done.exit_code == 2
    assert "there is no score 'alife'; did you mean 'alive'?" in done.stderr


def test_what_nobody_bought_tells_nothing(place: Path, tmp_path: Path) -> None:
    fill(tmp_path / "empty", events=[event()])
    done = run("scores", "fit", "alive", "--warehouse", str(tmp_path / "empty"), "--rules", str(place / "rules"))
    assert (done.exit_code, done.stderr) == (2, "kairos: alive: nobody has bought anything\n")


def test_scores_reach_the_warehouse_and_the_profiles_that_rules_read(place: Path) -> None:
    people = place / "profiles.json"
    people.write_text('{"u001": {"level": 3, "score_risk": 9, "score_other": 1}, "u009": {"score_risk": 0.1}}')
    done = run("scores", "build", "risk", *options(place))
    assert done.exit_code == 0
    newest = rows(place / "w", "(SELECT max(time_ms) FROM events)")[0][0]
    assert rows(place / "w", "scores", "score, user_id, value, as_of_ms") == [
        ("risk", "u001", 0.25, newest), ("risk", "u003", 0.5, newest),
    ]  # fmt: skip
    (place / "rules" / "risk.csv").write_text("user_id,risk\nu001,0.75\n")
    assert run("scores", "build", *options(place), "--profiles", str(people)).exit_code == 0
    profiles = json.loads(people.read_text())
    assert profiles["u001"]["level"] == 3
    assert profiles["u001"]["score_other"] == 1
    assert profiles["u001"]["score_risk"] == 0.75
    assert 0 <= profiles["u001"]["score_alive"] <= 1
    assert "score_risk" not in profiles.get("u003", {}), "who has the score no more loses it"
    assert profiles["u009"]["score_risk"] == 0.1, "what Kairos did not write stays"
    counted = rows(place / "w", "(SELECT score, count(*) FROM scores GROUP BY 1)")
    assert counted == [("alive", 120), ("risk", 1), ("worth", 120)]


def test_a_person_who_is_forgotten_has_no_scores(place: Path) -> None:
    assert run("scores", "build", *options(place)).exit_code == 0
    assert forget(place / "w", "u001")["scores"] == 3
    assert run("scores", "build", "risk", *options(place)).exit_code == 0
    assert len(rows(place / "w", "scores")) == 119 * 2 + 2


def test_a_rule_reads_a_score(place: Path) -> None:
    (place / "rules" / "profile.yaml").write_text("level: integer\n")
    (place / "rules" / "crowds.yaml").write_text("risky: {where: profile.score_risk > 0.3}\n")
    assert run("lint", str(place / "rules")).exit_code == 0
    (place / "rules" / "crowds.yaml").write_text("risky: {where: profile.score_rusk > 0.3}\n")
    assert "score_rusk" in run("lint", str(place / "rules")).stdout


def test_a_table_that_is_no_scores_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    for content, said in (
        ("user,risk\nu1,1\n", "no column 'user_id'; there are user, risk"),
        ("user_id,risk\nu1,high\n", "conversion error"),
    ):
        table.write_text(content)
        with pytest.raises(ScoreTableError, match=f"(?i){said}"):
            read_scores(table, "risk")
    with pytest.raises(ScoreTableError, match="nowhere"):
        read_scores(tmp_path / "nowhere.csv", "risk")


def test_parquet_and_csv_say_the_same(tmp_path: Path, place: Path) -> None:
    table = pyarrow.table({"user_id": ["u001", "u002", "u003"], "risk": [0.25, None, 0.5]})
    pyarrow.parquet.write_table(table, tmp_path / "risk.parquet")
    assert read_scores(tmp_path / "risk.parquet", "risk") == read_scores(place / "rules" / "risk.csv", "risk")
