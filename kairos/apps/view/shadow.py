"""What is on trial beside an activity, as a table for people or JSON for programs."""

from __future__ import annotations

import sys
from typing import Literal

import msgspec

from kairos.apps.view.comparison import rows_of, show_causes
from kairos.apps.view.screen import lay, put, screen
from kairos.usecases.rules.shadow import Shadowed

ShadowForm = Literal["table", "json"]
_EXAMPLES = 20
"""Differences of a cause that are shown."""


def show_shadow(found: Shadowed, form: ShadowForm) -> None:
    """On standard output."""
    if form == "json":
        sys.stdout.buffer.write(as_json(found) + b"\n")
        return
    tried, console = found.on_trial, screen()
    live = f"A {tried.activity}@{tried.live}, live" if tried.live else f"A without {tried.activity}"
    put(console, f"{live}, B {tried.activity}@{tried.version}, on trial")
    put(console, f"{found.decisions:,} decisions on trial; every send of B counts as delivered")
    rows = [(day.day, day.row) for day in found.days]
    lay(console, rows_of("day", [*rows, ("all", found.comparison.activities[0])]))
    show_causes(console, found.comparison, _EXAMPLES)


def as_json(found: Shadowed) -> bytes:
    tried = found.on_trial
    return msgspec.json.encode(
        {
            "a": {"name": tried.activity, "version": tried.live},
            "b": {"name": tried.activity, "version": tried.version},
            "since": tried.since,
            "activities": found.comparison.activities,
            "causes": found.comparison.causes,
            "days": [{"day": day.day, **_counts(day.row)} for day in found.days],
        }
    )


def _counts(row: object) -> dict[str, object]:
    return {name: value for name, value in msgspec.to_builtins(row).items() if name != "activity"}
