"""Functions of time: hours, days and weekdays on the user's clock."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kairos.engine.expression.scope import Facts
from tests.unit.expression.facts import value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hour(event.time)", 10),  # in Shanghai
        ("hour('2025-11-22T02:20:00Z')", 10),
        ("hour('2025-11-22T02:20:00+08:00')", 2),
        ("hour('2025-11-22 02:20')", 2),  # without an offset: local
        ("hour('2025-11-22')", None),
        ("hour('noon')", None),
        ("hour(vip)", None),
        ("hour(huge)", None),
        ("hour(wide)", None),
        ("hour(lowest)", None),
        ("weekday(event.time)", 5),
        ("weekday('2025-11-24')", 0),
        ("date(event.time)", "2025-11-22"),
        ("date('2025-11-21T16:00:00Z')", "2025-11-22"),
        ("date('2025-11-31')", None),
        ("date(event.time) == '2025-11-22'", True),
        ("days_since(event.time)", 0),
        ("days_since('2025-11-22')", 0),
        ("days_since('2025-11-21T10:20:00+08:00')", 1),
        ("days_since('2025-11-21T10:20:01+08:00')", 0),
        ("days_since('2025-11-20')", 2),
        ("days_since('2025-11-23')", -1),
        ("days_since('0001-01-01')", 739576),
        ("days_since('9999-12-31T23:59:59-23:59')", None),
        ("days_since(missing)", None),
    ],
)
def test_times_are_those_of_the_users_zone(text: str, expected: Any, scope: Facts) -> None:
    assert value(text, scope) == expected


def test_a_day_with_a_change_to_summer_time_is_a_day(scope: Facts) -> None:
    """From midnight to midnight in New York it was 23 hours."""
    scope.zone = ZoneInfo("America/New_York")
    scope.now = 1_773_028_800_000  # 2026-03-09T00:00-04:00
    assert value("days_since('2026-03-08')", scope) == 1
    assert value("days_since('2026-03-08T05:00:00Z')", scope) == 1
    assert value("days_since('2026-03-08T05:00:00.001Z')", scope) == 0
