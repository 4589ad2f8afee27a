"""`collect`: the newest events as a list of records, newest last."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.metric.spec import Collect, Metric
from tests.engine_kit import BASE, HOUR, MINUTE, events, rules, run


def unread(window: int | None = HOUR, most: int = 3) -> CompiledMetric:
    return CompiledMetric(Metric("m", "collect", ("c",), window=window, collect=Collect(("author", "n"), most)))


@given(
    seen=st.lists(st.integers(0, 200), max_size=12),
    now=st.integers(0, 300),
    window=st.sampled_from([None, HOUR]),
)
def test_the_newest_of_the_window_in_the_order_of_their_time(seen: list[int], now: int, window: int | None) -> None:
    metric, cells = unread(window), dict[Any, Any]()
    for place, minute in enumerate(seen):
        metric.add(cells, Event(f"e{place}", "c", BASE + minute * MINUTE, "", {"n": place}))
    newest = max(seen, default=0)
    now = max(now, newest)
    alive = [(minute, place) for place, minute in enumerate(seen) if window is None or minute > now - 60]
    kept = sorted(alive)[-3:]
    assert metric.value(cells, BASE + now * MINUTE) == [{"author": None, "n": place} for _, place in kept]
    assert not cells or len(cells[0]) <= 3


def test_a_value_that_is_too_large_is_null_and_lists_and_objects_are_kept() -> None:
    metric, cells = unread(), dict[Any, Any]()
    metric.add(cells, Event("e1", "c", BASE, "", {"author": "x" * 5_000, "n": {"a": [1]}}))
    assert metric.value(cells, BASE) == [{"author": None, "n": {"a": [1]}}]
    assert metric.lapses_at(cells) == BASE + HOUR


TEXT = "{% for item in items %}{{ item.author }} on {{ item.n }};{% endfor %}"
ACTIVITY = (
    "activity: a\ntrigger: {event: ask}\naudience: {where: len(metric.unread) > 0}\n"
    "data: {items: metric.unread, n: len(metric.unread)}\nsend: [{channel: sms, template: digest}]\n"
)
METRICS = "unread: {collect: [author, n], of: comment, where: n > 0, window: 1h, max: 2}\n"


def test_in_a_digest() -> None:
    digest = rules(ACTIVITY, metrics=METRICS, templates={"digest.sms": TEXT})
    seen = events(
        "0s ask", "1s comment n=1 author=Bo", "2s comment n=0 author=Di", "3s comment n=2 author=Cy", "4s ask"
    )
    nobody, sent = run(digest, seen)
    assert (nobody.outcome, nobody.reason) == ("suppress", "audience")
    assert json.loads(json.dumps(sent.data)) == {
        "n": 2,
        "items": [{"author": "Bo", "n": 1}, {"author": "Cy", "n": 2}],
    }


def test_a_hole_in_a_record_is_a_hole_in_the_message() -> None:
    digest = rules(ACTIVITY, metrics=METRICS, templates={"digest.sms": TEXT})
    (suppressed,) = run(digest, events("0s comment n=1", "1s ask"))
    assert (suppressed.outcome, suppressed.reason) == ("suppress", "missing_value")
