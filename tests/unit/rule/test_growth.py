"""Patterns of which more is begun than is kept: told by lint where it can be known, and by simulate and explain."""

from __future__ import annotations

import pytest

from kairos.engine.play.explain import Story
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from kairos.engine.settings import Settings
from tests.engine_kit import BASE, HOUR, decisions, events, rules

VIEWS = "{event: view, as: v, times: {min: 2}}"


def activity(*steps: str, more: str = "") -> str:
    return f"activity: a\nstate: live\ntrigger: {{pattern: [{', '.join(steps)}], within: 1h{more}}}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (activity(VIEWS, "{event: buy, where: sku == v.first.sku}"), False),
        (activity(VIEWS, "{event: buy}"), False),
        (activity(VIEWS), False),
        (activity(VIEWS, more=", after_match: no_skip"), False),
        (
            activity("{event: view, as: v, times: {min: 2, max: 4}}", "{event: buy}", more=", after_match: no_skip"),
            False,
        ),
        (activity(VIEWS, "{event: buy, where: sku == v.sku}"), True),
        (activity(VIEWS, "{event: buy, where: amount > sum(v.amount)}"), True),
        (activity(VIEWS, "{event: buy}", "{event: pay, where: n == v.count}"), True),
        (activity(VIEWS, "{event: buy, where: {js: 'true'}}"), True),
        (activity(VIEWS, "{event: buy}", more=", after_match: no_skip"), True),
        (activity(VIEWS[:-1] + ", inside: any}", "{event: buy}"), True),
    ],
)
def test_lint(text: str, told: bool) -> None:
    found = load({"activities/a/a.yaml": text.encode()}).findings
    assert not [finding for finding in found if finding.level == "error"]
    assert [finding.code for finding in found if finding.code == "many-matches"] == ["many-matches"] * told


@pytest.mark.parametrize("views", [2, 45, 50, 300])
def test_a_pair_is_found_however_many_views_there_were(views: int) -> None:
    """Of the runs with one first view the longest stands for all."""
    rule_set = rules(activity(VIEWS, "{event: buy, where: 'sku == v.first.sku'}"))
    given = [f"{number}s view sku=s{number}" for number in range(views)]
    assert decisions(rule_set, events(*given, f"{views}s buy sku=s0")) == [f"{told(views)} a match"]


def told(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return (f"{minutes}m" if minutes else "") + (f"{rest}s" if rest else "")


def test_what_is_not_kept_is_counted_by_activity_and_explained() -> None:
    rule_set = rules(activity(VIEWS, "{event: buy, where: 'sku == v.sku'}"))
    story = Story("u1")
    simulation = Simulation(rule_set, settings=Settings(assume_delivered=True, max_runs=20), observer=story)
    list(simulation.run(events(*[f"{number}s view sku=s{number}" for number in range(10)])))
    assert simulation.engine.dropped.keys() == {"a"}
    assert simulation.engine.dropped["a"] == simulation.engine.counters["runs_dropped"] > 0
    lines = [line.text for line in story.tell("a", [], BASE + HOUR)]
    assert any("of the open matches that this makes are not kept" in line for line in lines)
