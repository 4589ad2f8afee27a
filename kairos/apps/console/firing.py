"""Alarms that somebody was told of and that are not over."""

from __future__ import annotations

from pathlib import Path

from kairos.adapters.alarms.said import SaidFile
from kairos.engine.alarm.spec import Change


def firing(state: str | None) -> list[Change]:
    """`state`: the file of `kairos alarms`. One that several were told of counts once. Raises SaidError."""
    said = SaidFile(Path(state) if state else None).read()
    return list({change.key: change for changes in said.values() for change in changes}.values())
