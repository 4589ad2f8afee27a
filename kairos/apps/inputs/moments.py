"""Times: now, and those that are options of commands."""

from __future__ import annotations

import time as clock
from datetime import datetime, time
from zoneinfo import ZoneInfo

from kairos.apps.view.terminal import escape, fail
from kairos.engine.iso_time import parse_time
from kairos.engine.rule.text.scalars import epoch_ms


def now() -> int:
    """Epoch ms."""
    return clock.time_ns() // 1_000_000


TIME = "a time such as 2026-11-30T00:00Z, or a date"


def moment(text: str | None, option: str, zone: ZoneInfo) -> int | None:
    """Epoch ms; without an offset, of this zone. What is no time ends the command."""
    if text is None:
        return None
    try:
        return read_moment(text, zone)
    except ValueError:
        fail(f"{option} {escape(text)}: expected {TIME}")


def read_moment(text: str, zone: ZoneInfo) -> int:
    """Epoch ms; without an offset, of this zone. Raises ValueError."""
    if (instant := parse_time(text)) is not None:
        return instant
    local = datetime.fromisoformat(text)
    if local.tzinfo is not None:
        return round(local.timestamp() * 1000)
    return epoch_ms(datetime.combine(local.date(), local.time() or time()), zone)
