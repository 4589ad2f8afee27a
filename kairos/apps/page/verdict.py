"""What a row of kind `lift` says, in a sentence: what an activity brought, or why nobody can tell yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kairos.apps.page.numbers import amount, chance, count, moment, percent, points, signed, span

FEW = 100
"""Treated users among whom a control group of 5 % would most likely have shown; before, its users may just be late."""

LABELS = {
    "better": "works",
    "worse": "does harm",
    "open": "not told yet",
    "too_few": "no answer",
    "unsound": "unsound",
}


def is_rate(row: Mapping[str, Any]) -> bool:
    return row.get("metric") in (None, "goal", "rate")


def size(row: Mapping[str, Any], value: float | None) -> str:
    """A difference of this row's metric. No two rates are further apart than a hundred points, whatever so few users
    leave open."""
    if not is_rate(row):
        return signed(value)
    return points(None if value is None else max(-1.0, min(1.0, value)))


def level(row: Mapping[str, Any], value: float | None) -> str:
    """A mean of this row's metric."""
    return percent(value) if is_rate(row) else signed(value).lstrip("+")


def verdict(row: Mapping[str, Any]) -> str:
    unit = " points" if is_rate(row) else ""
    status, interval = row["status"], span(row["interval"], lambda value: size(row, value))
    if status == "unsound":
        return f"The split of users is not the one that was drawn (p {chance(row['srm_p'])}): no effect is shown."
    if status == "too_few":
        return _why_nothing(row)
    if status == "open":
        return f"Not told yet: {interval}{unit}. {_visible(row, row) or 'Nobody of the control group did it.'}"
    return f"{size(row, row['difference'])}{unit} ({interval}) beyond what happens anyway."


def pairs(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Of rows by variant, each two variants once: the row of the better one, and the entry of its `beside`."""
    for row in rows:
        for other in row.get("beside", ()):
            if (other["difference"], other["variant"]) > (0, row["arm"]):
                yield row, other


def beside(row: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What one of several variants did beyond another one. `other`: an entry of the row's `beside`."""
    unit = " points" if is_rate(row) else ""
    interval = span(other["interval"], lambda value: size(row, value))
    match other["status"]:
        case "too_few":
            early = not row.get("n_treated") and row.get("immature")
            return _too_early(row) if early else "Nothing yet: few users, or all did the same."
        case "open":
            return f"Not told yet: {interval}{unit}. {_visible(row, other)}".rstrip()
        case "better":
            return f"Better by {size(row, other['difference']).lstrip('+')}{unit} ({interval})."
    return f"Worse by {size(row, abs(other['difference'])).lstrip('+')}{unit} ({interval})."


def made(row: Mapping[str, Any]) -> str:
    """What a row of kind `money` says of the profit."""
    if row["interval"] is None:
        return "Nobody knows what would have been made anyway: there is no control group, or nobody made anything."
    low, high = row["interval"]
    told = span(row["interval"], signed)
    if low > 0:
        return f"It made {amount(row['incremental_value'])} ({told}) that would not have been made anyway."
    if high < 0:
        return f"It lost {amount(-row['incremental_value'])} ({told}) that would have been made without it."
    return f"Not told yet whether it made or lost anything: {told}."


def _visible(row: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """How large an effect has to be to be seen with so many users, where that is known."""
    visible = told["smallest_visible"]
    return f"Less than {size(row, visible).lstrip('+')} would not show yet." if visible else ""


def waiting(row: Mapping[str, Any]) -> str:
    """Of whom a row of kind `lift` says nothing yet, and until when; empty where that is nobody."""
    if not row["immature"]:
        return ""
    users = f"For {count(row['immature'])} users the time to see it is not over"
    return f"{users}; of the last it ends at {moment(row['matures_ms'])}."


def _too_early(row: Mapping[str, Any]) -> str:
    return f"Nothing yet. {waiting(row)}"


def _why_nothing(row: Mapping[str, Any]) -> str:
    control, treated, immature = row["n_control"], row["n_treated"], row["immature"]
    if not control and not treated and immature:
        return _too_early(row)
    if not control and not (immature and treated < FEW):
        return "No control group: nobody knows what would have happened anyway."
    if min(control, treated) < 2:
        return f"Nothing yet: {count(control)} control users, {count(treated)} treated."
    return "Nothing yet: all users of both arms did the same."
