"""The calendar: how much is to come, in which hour, on which channel, and what makes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kairos.apps.console.screens.calendar import grids
from kairos.usecases.scheduler.forecast import Part
from tests.unit.console.conftest import Reader

BLAST = """
activity: {name}
title: A blast
state: live
trigger: {{schedule: {{at: 2026-11-15T10:00, timezone: UTC}}}}
send: [{{channel: console}}]
"""


def test_the_load_of_an_hour_leads_to_what_makes_it_and_two_on_one_day_are_told(local: Reader, tmp_path: Path) -> None:
    for name in ("winter", "advent"):
        (tmp_path / "rules" / "activities" / "all" / f"{name}.yaml").write_text(BLAST.format(name=name))
    assert "hx-get" in local.get("/calendar").text.split('class="later"')[1]
    told = local.get("/calendar?asked=yes").text
    hour = re.search(r'href="([^"]+)#parts"[^>]*aria-label="2026-11-15 10:00 UTC, console: planned (\d+)', told)
    assert hour is not None
    assert int(hour[2]) > 40  # everyone is due for both
    parts = local.get(hour[1].replace("&amp;", "&")).text.split('id="parts"')[1]
    assert 'href="/activities/winter"' in parts
    assert "kairos schedule --load --days 7" in parts
    overlaps = parts.split("<h2>On one day</h2>")[1]
    assert "2026-11-15" in overlaps
    assert 'href="/activities/advent"' in overlaps


def test_an_hour_that_comes_twice_is_shown_twice() -> None:
    """Clocks go back: 2026-10-25 02:00 in Berlin is an hour of UTC twice."""
    first = 1_792_886_400_000
    assert datetime.fromtimestamp(first / 1000, UTC).isoformat() == "2026-10-25T00:00:00+00:00"
    shown = [Part(first, "sms", "a", 3), Part(first + 3_600_000, "sms", "a", 4)]
    (grid,) = grids(shown, ZoneInfo("Europe/Berlin"), {"sms": 3.5})
    told = {day: {hour: cell["number"] for hour, cell in row.items()} for day, row in grid["rows"].items()}
    assert told == {"2026-10-25": {2: 3}, "2026-10-25 CET": {2: 4}}
    assert grid["over"]


def test_what_is_no_time_is_refused(local: Reader) -> None:
    assert local.get("/calendar?days=400").status_code == 422
    assert local.get("/calendar?hour=now").status_code == 422
