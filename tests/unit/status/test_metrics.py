"""Metrics: one scheme, declared once, told in Prometheus' text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kairos.adapters.metrics.declared import JOB, PARTS
from kairos.adapters.metrics.metrics import Metric, Metrics
from tools.draw_metrics import PAGE, page

UNITS = ("total", "seconds", "messages", "records", "partitions", "carrying", "leading", "firing")
COUNTED = Metric("kairos_test_calls_total", "counter", "Calls.", ("door", "result"))
BARE = Metric("kairos_test_rounds_total", "counter", "Rounds.")
LEVEL = Metric("kairos_test_lag_records", "gauge", "Behind.", ("topic",))
TIME = Metric("kairos_test_answer_seconds", "histogram", "Answers.")


@pytest.mark.parametrize("metric", [metric for part in PARTS for metric in part.metrics], ids=lambda m: m.name)
def test_every_metric_follows_the_scheme(metric: Metric) -> None:
    assert re.fullmatch(rf"kairos_[a-z]+(_[a-z]+)*_({'|'.join(UNITS)})", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith("_seconds") or metric.kind != "histogram"
    assert metric.help.endswith(".")


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python tools/draw_metrics.py --write"


def test_told_in_prometheus_text() -> None:
    metrics = Metrics([COUNTED, BARE, LEVEL, TIME])
    metrics.add(COUNTED, door='x"\n', result="y")
    metrics.add(COUNTED, 2, door="z", result="y")
    metrics.add(BARE)
    metrics.ask(LEVEL, lambda: 7, topic="events")
    metrics.took(TIME, 0.02)
    lines = metrics.text().decode().splitlines()
    assert 'kairos_test_calls_total{door="x\\"\\n",result="y"} 1.0' in lines
    assert 'kairos_test_calls_total{door="z",result="y"} 2.0' in lines
    assert "kairos_test_rounds_total 1.0" in lines
    assert 'kairos_test_lag_records{topic="events"} 7.0' in lines
    assert 'kairos_test_answer_seconds_bucket{le="0.01"} 0.0' in lines
    assert 'kairos_test_answer_seconds_bucket{le="0.025"} 1.0' in lines
    assert not [line for line in lines if "_created" in line]


def test_sums_over_what_is_not_asked_for() -> None:
    metrics = Metrics([COUNTED, TIME])
    for door, result, n in (("a", "x", 1), ("a", "y", 2), ("b", "y", 4)):
        metrics.add(COUNTED, n, door=door, result=result)
    metrics.took(TIME, 1.0)
    assert [metrics.value(COUNTED), metrics.value(COUNTED, result="y"), metrics.value(COUNTED, door="c")] == [7, 6, 0]
    assert metrics.totals(COUNTED, "door", result="y") == {"a": 2, "b": 4}
    assert metrics.value(TIME) == 1


def test_only_what_is_declared_can_be_told() -> None:
    with pytest.raises(KeyError):
        Metrics([COUNTED]).add(BARE)
    with pytest.raises(ValueError):
        Metrics([COUNTED]).add(COUNTED, door="a")


def test_the_groups_of_the_job_are_those_that_its_operators_count_in() -> None:
    sources = "".join(path.read_text() for path in Path("operators").glob("*.py"))
    used = set(re.findall(r'telemetry\.(?:count|follow)(?:\(|, )"(\w+)"', sources))
    assert used == set(JOB)
