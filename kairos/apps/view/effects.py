"""What activities brought, as a table on a terminal; it fits into 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from kairos.apps.page.numbers import count
from kairos.apps.page.page import Section, latest_lifts
from kairos.apps.page.verdict import level, verdict
from kairos.apps.view.screen import table
from kairos.apps.view.terminal import escape

Row = Mapping[str, Any]


def effect_table(sections: Sequence[Section]) -> Table:
    """A row an activity with a goal, and one each of its variants."""
    numbers = ("control", "treated", "without", "with")
    shown = table("activity", *numbers, "what can be said", right=numbers, title="What each activity brought")
    variants = _variants(sections)
    for activity, row in sorted(latest_lifts(sections).items()):
        _add(shown, Text(escape(activity), style="bold"), row)
        for variant in variants.get(activity, ()):
            if variant["epoch"] == row["epoch"]:
                _add(shown, Text(f"  {escape(variant['arm'])}"), variant)
    return shown


def _variants(sections: Sequence[Section]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for section in sections:
        if section["kind"] == "lift" and section.get("by") == "variant":
            for row in section["rows"]:
                found.setdefault(row["activity"], []).append(row)
    return found


def _add(rows: Table, name: Text, row: Row) -> None:
    shown = row["status"] != "unsound"
    means = [level(row, row[mean] if shown else None) for mean in ("mean_control", "mean_treated")]
    rows.add_row(name, count(row["n_control"]), count(row["n_treated"]), *means, verdict(row))
