"""What a reviewer reads of a change is what one writes in a file: no milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.rule.changes.in_words import in_words
from kairos.engine.rule.changes.semantic_diff import differences
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet

ROOT = Path(__file__).parents[3]
FOLDERS = [ROOT / "rules", *(folder for folder in (ROOT / "examples").iterdir() if [*folder.rglob("activities")])]
COUNTS = {"max_followers", "count", "size", "budget", "rate"}
"""Numbers of this size that are no times."""


def numbers(field: str, value: Any) -> Iterator[tuple[str, int]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, part in parts:
        yield from numbers(f"{field}.{key}" if field else str(key), part)
    if isinstance(value, int) and not isinstance(value, bool):
        yield field, value


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_time_stands_in_milliseconds(folder: Path) -> None:
    rules = load(read_folder(folder)).rules
    assert rules is not None
    large = [(field, number) for field, number in numbers("", msgspec.to_builtins(rules)) if abs(number) >= 1_000]
    raw = [field for field, number in large if in_words(field, number).strip('"') == str(number)]
    assert {field.rpartition(".")[2] for field in raw} <= COUNTS, raw
    for each in differences(RuleSet(), rules):
        assert "000000," not in in_words(each.field, each.after)


def test_of_a_list_what_differs_is_told_and_not_the_whole() -> None:
    def rules(after: str) -> RuleSet:
        sends = f"send: [{{channel: console}}, {{channel: webhook, after: {after}}}]"
        loaded = load({"activities/t/a.yaml": f"activity: a\ntrigger: {{event: e}}\n{sends}\n".encode()})
        assert loaded.rules is not None, loaded.findings
        return loaded.rules

    assert [each.field for each in differences(rules("5m"), rules("6m"))] == ["activities.a.send.1.after"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("activities.left.pattern.within", 5_400_000, "90m"),
        ("activities.left.limits.send_window.hours.end", 1_020, "17:00"),
        ("policy.quiet_hours.start", 1_320, "22:00"),
        ("activities.left.active.start", 1_709_247_600_000, "2024-02-29T23:00Z"),
        ("journeys.series.steps.0.span", 259_200_000, "3d"),
        ("journeys.series.steps.1.at", 600, "10:00"),
        ("journeys.series.steps.2.shift", -10_800_000, "-3h"),
        ("activities.left.priority", 50, "50"),
        ("activities.within.priority", 5_000, "5000"),
        (
            "activities.left.limits",
            {"once": 3_600_000, "budget": None, "caps": ["marketing"]},
            '{"once":"1h","caps":["marketing"]}',
        ),
        ("activities.left.title", "Left", '"Left"'),
        ("activities.left.state", None, "nothing"),
        ("activities.left.audience.control", 0.1, "0.1"),
        ("activities.left.rollout", True, "true"),
    ],
)
def test_values(field: str, value: Any, said: str) -> None:
    assert in_words(field, value) == said
