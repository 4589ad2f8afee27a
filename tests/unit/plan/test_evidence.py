"""Evidence of plans: measured, written into the plans, believed of what is new."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.apps.inputs.files import valid_rules
from kairos.engine.decision import share_of
from kairos.engine.event import Event
from kairos.engine.measure.evidence import Evidence, Shown
from kairos.engine.measure.statistics.interval import always_valid_half_width, fixed_half_width
from kairos.engine.measure.statistics.pooled import evidence_of
from kairos.engine.rule.load import load
from kairos.usecases.results.evidence import find_evidence
from tests.measured import DAY, HOUR, START, play
from tests.unit.cli.cli_kit import run
from tests.unit.plan.library import HELLO, SHIPPED, findings, plan, shelf

_LESS = {
    "  topic: {$: topic}    # who agreed\n": "  audience: {control_group: 20%}\n",
    "  topic: {type: name, default: null}\n": "",
    "metrics:\n  seen_90d: {count: {$: began}, window: 90d}\n": "",
}
PLAN = HELLO
for _old, _new in _LESS.items():
    PLAN = PLAN.replace(_old, _new)


def row(control: tuple[float, int], treated: tuple[float, int]) -> dict[str, Any]:
    """A row of a lift, as far as it is read."""
    means = {"mean_control": control[0], "mean_treated": treated[0]}
    return {**means, "n_control": control[1], "n_treated": treated[1], "difference": treated[0] - control[0],
            "interval": (0, 0)}  # fmt: skip


def test_one_epoch_is_its_own_evidence() -> None:
    found = evidence_of({"a": [row((0.1, 1_000), (0.12, 4_500))]}, 7)
    assert found is not None
    se = math.sqrt(0.1 * 0.9 / 1_000 + 0.12 * 0.88 / 4_500)
    half = fixed_half_width(se, 5_498)
    assert (found.lift, found.n, found.rate, found.as_of) == (pytest.approx(0.02), 5_500, pytest.approx(0.12), 7)
    assert found.interval == (pytest.approx(0.02 - half), pytest.approx(0.02 + half))


def test_few_users_have_the_interval_that_is_right_at_every_look() -> None:
    found = evidence_of({"a": [row((0.1, 100), (0.2, 100))]}, 0)
    assert found is not None
    se = math.sqrt(0.09 / 100 + 0.16 / 100)
    assert found.interval[1] - found.lift == pytest.approx(always_valid_half_width(se, 200, 5_000))


def test_activities_and_epochs_count_by_their_users() -> None:
    rows = {"a": [row((0.1, 100), (0.2, 200)), row((0.1, 50), (0.1, 50))], "b": [row((0.0, 300), (0.3, 300))]}
    found = evidence_of(rows, 0)
    assert found is not None
    assert found.n == 1_000
    assert found.lift == pytest.approx((0.1 * 300 + 0.3 * 600) / 1_000)
    alone = {name: evidence_of({name: of}, 0) for name, of in rows.items()}
    assert {name: (one.lift, one.n, one.interval) for name, one in alone.items() if one is not None} == found.of
    assert [(one.lift, one.n) for one in found.of.values()] == [(pytest.approx(0.075), 400), (pytest.approx(0.3), 600)]


def test_what_cannot_be_told_is_none() -> None:
    assert evidence_of({"a": []}, 0) is None
    assert evidence_of({"a": [row((0.1, 1), (0.2, 1)) | {"interval": None}]}, 0) is None


def test_an_activity_is_no_evidence_of_itself() -> None:
    evidence = Evidence(0.05, (0.0, 0.1), 1_000, 0, None, {"a": Shown(0.08, 250), "b": Shown(0.04, 750)})
    assert evidence.believed("new") == evidence.believed() == Shown(0.05, 1_000)
    assert evidence.believed("a") == Shown(pytest.approx(0.04), 750)
    assert Evidence(0.05, (0, 1), 9, 0, None, {"a": Shown(0.05, 9)}).believed("a") == Shown(0.0, 0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two activities of one plan, and a warehouse: of those who get the message 40 % buy, of the others 20 %."""
    folder, chance, events = shelf(tmp_path_factory.mktemp("shop"), PLAN), random.Random(5), []
    common = ("--plans", folder / "plans", "--rules", folder / "rules")
    for name, began in (("first", "signup"), ("second", "login")):
        assert run("plans", "use", "hello", "--as", name, "--set", f"began={began}", *common).exit_code == 0
    for number in range(400):
        user, at = f"u{number}", START + number % 5 * DAY + 12 * HOUR
        events.append(Event(f"s{number}", "signup", at, "", {}, user))
        if chance.random() < (0.4 if share_of(user, "first") >= 0.2 else 0.2):
            events.append(Event(f"p{number}", "purchase", at + 2 * HOUR, "", {}, user))
    loaded = load(read_folder(folder / "rules"))
    play(folder / "warehouse", loaded, events)
    return folder


def asked(shop: Path, *command: object) -> str:
    result = run(*command, "--warehouse", shop / "warehouse", "--plans", shop / "plans", "--as-of", "2026-11-30")
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_is_measured_written_and_believed_of_what_is_new(shop: Path) -> None:
    path = shop / "plans/hello.yaml"
    version = plan(path.read_text()).version
    asked(shop, "plans", "evidence", "--rules", shop / "rules")
    text = path.read_text()
    assert text.startswith(PLAN.rstrip())
    found = plan(text)
    assert findings(text) == []
    assert found.version == version
    assert found.evidence is not None
    assert 0.1 < found.evidence.lift < 0.3
    assert found.evidence.interval[0] < found.evidence.lift < found.evidence.interval[1]
    assert (found.evidence.n, list(found.evidence.of)) == (400, ["first"])
    asked(shop, "plans", "evidence", "--rules", shop / "rules")
    assert path.read_text() == text

    asked(shop, "learn", shop / "rules")
    rules = load(read_folder(shop / "rules")).rules
    assert rules is not None
    assert rules.uplift["first"] == pytest.approx(400 * found.evidence.lift / 2_400, abs=1e-4)
    assert rules.uplift["second"] == pytest.approx(found.evidence.lift, abs=1e-4)


def test_the_warehouse_knows_the_plan(shop: Path) -> None:
    result = run("measure", "lift/first", "--by", "plan", "--format", "json", "--warehouse", shop / "warehouse",
                 "--rules", shop / "rules")  # fmt: skip
    assert '"plan":"hello"' in result.stdout.replace('": ', '":')


def test_a_journey_has_evidence_too(tmp_path: Path) -> None:
    """Its entry is a match, and whoever is in it is treated from then on."""
    common = ("--plans", SHIPPED, "--rules", tmp_path / "rules")
    (tmp_path / "rules").mkdir()
    assert run("plans", "use", "welcome", "--set", "control=20%", *common).exit_code == 0
    chance, events = random.Random(7), []
    for number in range(300):
        user, at = f"u{number}", START + 12 * HOUR
        events.append(Event(f"s{number}", "signup", at, "", {}, user))
        if chance.random() < (0.5 if share_of(user, "welcome") >= 0.2 else 0.2):
            events.append(Event(f"p{number}", "purchase", at + 5 * HOUR, "", {}, user))
    play(tmp_path / "warehouse", load(read_folder(tmp_path / "rules")), events)
    rules, loaded = valid_rules(tmp_path / "rules")
    evidence = find_evidence(tmp_path / "warehouse", rules, loaded.measures, START + 40 * DAY)["welcome"]
    assert evidence.n == 300
    assert 0.15 < evidence.lift < 0.45
    assert list(evidence.of) == ["welcome"]
