"""The tables behind the hints: what they propose exists. The messages themselves are in lint/mistakes.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.rules.files import other_files, read_folder
from kairos.engine.expression.functions import FUNCTIONS
from kairos.engine.expression.mistakes import FUNCTIONS as FOREIGN
from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.hints import concepts, spellings
from kairos.engine.rule.fields.hints.elsewhere import home_of
from kairos.engine.rule.load import load
from kairos.engine.rule.text.nodes import read_yaml
from kairos.engine.rule.text.scalars import parse_duration, zones


def test_every_zone_that_is_proposed_exists() -> None:
    proposed = {*spellings._CITIES, *spellings._OF_OFFSET.values()}
    assert proposed - zones() - {"UTC"} == set()


def test_no_word_of_our_own_is_called_a_foreign_one() -> None:
    assert FUNCTIONS.keys() & FOREIGN.keys() == set()
    assert {field.name for field in ACTIVITY.fields} & concepts.CONCEPTS.keys() == set()


@pytest.mark.parametrize("text", ["10 min", "1.5h", "2 weeks", "PT10M", "1 month", "00:10:30", "90秒"])
def test_a_duration_that_is_proposed_is_one(text: str) -> None:
    hint = spellings.duration_hint(text)
    assert hint is not None
    assert parse_duration(hint.removeprefix("did you mean ").removesuffix("?"))


@pytest.mark.parametrize("text", ["", "x", "10 parsecs", "-5m", "0 min", "99:99:99:99"])
def test_nothing_is_made_of_what_means_nothing(text: str) -> None:
    for hint in (spellings.duration_hint, spellings.clock_hint, spellings.moment_hint):
        assert hint(text) is None or "99" in text


def test_where_a_key_belongs_is_said_by_the_declarations() -> None:
    mapping, text = read_yaml("{sends: 5}"), read_yaml("every day")
    assert mapping is not None
    assert text is not None
    assert home_of("budget", mapping, ACTIVITY) == "`budget` belongs to `limits`: indent it below that"
    assert home_of("schedule", mapping, ACTIVITY) == "`schedule` belongs to `trigger`: indent it below that"
    assert home_of("schedule", text, ACTIVITY) is None
    assert home_of("no_such_key", text, ACTIVITY) is None


def test_files_that_nobody_reads_are_named_and_those_of_editors_are_not(tmp_path: Path) -> None:
    strays = ("templates/a.email.html", "activities/t/a.yaml.txt", "activities/t/b.json")
    welcome = (
        "README.md", "notes.txt", "activities/README.md", "activities/t/a.yaml~", "activities/t/.a.yaml.swp",
        "activities/t/4913", "activities/t/.#a.yaml", "activities/t/#a.yaml#", "activities/t/a.yaml.tmp",
        "activities/t/a.yaml___jb_tmp___", "templates/a.sms.liquid.bak",
    )  # fmt: skip
    for name in (*strays, *welcome):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half: {")
    assert read_folder(tmp_path) == {}
    findings = load(read_folder(tmp_path), others=other_files(tmp_path)).findings
    warned = [finding.file for finding in findings if finding.level == "warning"]
    assert warned == sorted(strays)
