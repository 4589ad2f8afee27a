"""A value of a difference as one would write it in a rule file: `90m`, `22:00`, and not as the engine counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from kairos.engine.rule.text.scalars import short_duration

_SPANS = re.compile(
    r".*\b(within|once|span|after|window|half_life|refresh|retry_for|send_before|dedup|every|until|reenter|lateness|gap"
    r"|dwell|again_after|per)|.*\bfollow\.\w+|journeys\..*\bshift"
)
_TIMES = re.compile(r".*\bactive\.(start|end)")
_OF_DAY = re.compile(r".*\b(quiet_hours|hours)\.(start|end)|.*\bschedule\.minutes|journeys\..*\bat")


def in_words(field: str, value: Any) -> str:
    """`field`: as a `Difference` has it; `value`: one of its sides. A text stands as JSON; of a record only what is
    there."""
    if value is None:
        return "nothing"
    said = _said(field, value)
    return said if isinstance(value, int) and isinstance(said, str) else msgspec.json.encode(said).decode()


def _said(field: str, value: Any) -> Any:
    if isinstance(value, dict):
        there = {key: each for key, each in value.items() if each is not None}
        return {key: _said(f"{field}.{key}", each) for key, each in there.items()}
    if isinstance(value, list | tuple):
        return [_said(f"{field}.{place}", each) for place, each in enumerate(value)]
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if _OF_DAY.fullmatch(field):
        return f"{value // 60:02}:{value % 60:02}"
    if _TIMES.fullmatch(field):
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%dT%H:%MZ}"
    return short_duration(value) if _SPANS.fullmatch(field) else value
