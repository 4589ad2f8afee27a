"""What activities brought, as a table on a terminal; it fits into 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from kairos.apps.page.numbers import count, moment
from kairos.apps.page.page import Section, latest_lifts
from kairos.apps.page.verdict import beside, level, pairs, verdict
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
            if variant["epoch"] == row["epoch"] and variant["arm"] != row["arm"]:
                _add(shown, Text(f"  {escape(variant['arm'])}"), variant)
    return shown


def variant_table(sections: Sequence[Section]) -> Table | None:
    """A row each two variants of an activity, the better one first, in the newest epoch that had several. None: nothing
    had."""
    shown = table("activity", "variant", "with", "beside", "with", "what can be said", right={"with"}, whole=2)
    shown.title = "Which variant is better"
    latest = latest_lifts(sections)
    for activity, variants in sorted(_variants(sections).items()):
        epoch = max((row["epoch"] for row in variants if row["beside"]), default=None)
        newest = {row["arm"]: row for row in variants if row["epoch"] == epoch}
        since = activity in latest and latest[activity]["epoch"] != epoch
        for row, told in pairs(newest.values()):
            means = [level(each, each["mean_treated"]) for each in (row, newest[told["variant"]])]
            names = (escape(row["arm"]), escape(told["variant"]))
            first = Text(f"{escape(activity)}{f' (epoch {epoch})' if since else ''}", style="bold")
            shown.add_row(first, names[0], means[0], names[1], means[1], beside(row, told))
    return shown if shown.rows else None


def read_as_of(sections: Sequence[Section], what: str) -> str:
    """The moment that the numbers are of, and of whom they tell nothing yet. `what`: is at that moment."""
    at = max(section["as_of"] for section in sections)
    told = f"Read as of {at[:10]} {at[11:16]} UTC{what and f', {what}'}."
    late = {activity: row for activity, row in sorted(latest_lifts(sections).items()) if row["immature"]}
    if not late:
        return told
    users = [
        f"{count(row['immature'])} of {escape(activity)} until {moment(row['matures_ms'])}"
        for activity, row in late.items()
    ]
    return (
        f"{told} In no number yet, as their time to see the goal is not over: {', '.join(users)}. Where no events come "
        "any more, --as-of reads what is loaded as of a later time."
    )


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
