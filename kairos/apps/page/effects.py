"""The panels about what activities brought: reach, lift, money, attribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kairos.apps.page.numbers import (
    NONE,
    amount,
    chance,
    count,
    share,
    signed,
    signed_percent,
    with_span,
    words,
)
from kairos.apps.page.panel import Column, Panel, Table
from kairos.apps.page.svg import Range, bar, interval, range_of
from kairos.apps.page.verdict import LABELS, beside, level, made, pairs, size, verdict, waiting
from kairos.engine.measure.way import INSIDE, base

Row = Mapping[str, Any]
TEXT = "text"
NOBODY = "nobody yet"


def reach(rows: Sequence[Row]) -> Panel:
    """A funnel: every step a bar of all that entered, with what was lost on the way to it."""
    steps = [row for row in rows if row["step"] != "unknown"]
    most = max((row["occurrences"] for row in steps), default=0)
    if not most:
        return Panel("Nobody has entered it.")
    table = Table(
        [
            Column("step", "", TEXT),
            Column("", "", "wide"),
            Column("occurrences"),
            Column("users"),
            Column("of previous", "of_previous"),
            Column("lost", "lost", "reasons"),
        ]
    )
    of_journey = any(row["step"] == INSIDE for row in rows)
    for place, row in enumerate(rows):
        before = (base(rows, place) if of_journey else rows[place - 1] if place else None) or {}
        drawn = Markup(bar(row["occurrences"] / most, label=f"{row['step']}: {row['occurrences']:,}"))
        of_previous = share(row["occurrences"], before["occurrences"]) if row.get("of_previous") is not None else NONE
        table.rows.append(
            [
                _by(row) + row["step"],
                drawn,
                count(row["occurrences"]),
                count(row["users"]),
                of_previous,
                lost(row.get("lost")),
            ]
        )
    return Panel(tables=[table])


def lost(reasons: Mapping[str, int] | None) -> str:
    ordered = sorted((reasons or {}).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{words(reason)} {number:,}" for reason, number in ordered)


def scale_of(rows: Sequence[Row]) -> Range:
    """One scale for these effects, not blown up by those of which nothing is known."""
    ends = sorted(abs(end) for row in rows for end in row["interval"] or ())
    if not ends:
        return (-1.0, 1.0)
    typical = max(ends[len(ends) // 2] * 2, *(abs(row["difference"]) * 1.1 for row in rows if row["interval"]))
    return range_of([max(-typical, -ends[-1]), min(typical, ends[-1])])


def effect(row: Row, scale: Range) -> str:
    """The interval as a picture, or nothing."""
    if row["interval"] is None:
        return ""
    label = with_span(row["difference"], row["interval"], lambda value: size(row, value))
    return Markup(interval(row["difference"], row["interval"], scale, row["status"], label))


def lift(rows: Sequence[Row]) -> Panel:
    columns = [
        Column("epoch", "epoch", TEXT),
        Column("arm", "", TEXT),
        Column("status", "", TEXT),  # early: the last columns of so wide a table are out of sight
        Column("control users"),
        Column("treated users"),
        Column("without", "anyway"),
        Column("with it", "with_it"),
        Column("difference", "difference"),
        Column("", "", "wide"),
        Column("relative", "relative"),
        Column("p", "p_fixed"),
        Column("split p", "srm_p"),
        Column("smallest visible", "smallest_visible"),
        Column("immature", "immature", "number immature"),
    ]
    table, adjusted, scale = Table(columns), _adjusted_table(), scale_of(rows)
    compared = _compared(rows)
    for row in rows:
        name = f"{_by(row)}{row['arm']}"
        table.rows.append(
            [
                str(row["epoch"]),
                name,
                LABELS[row["status"]],
                count(row["n_control"]),
                count(row["n_treated"]),
                level(row, row["mean_control"]),
                level(row, row["mean_treated"]),
                with_span(row["difference"], row["interval"], lambda value, row=row: size(row, value)),
                effect(row, scale),
                with_span(row["relative"], row["relative_interval"], signed_percent),
                chance(row["p_fixed"]),
                chance(row["srm_p"]),
                size(row, row["smallest_visible"] or None).lstrip("+"),  # 0 where nobody of the control group did it
                count(row["immature"]),
            ]
        )
        cuped = (row["adjusted"] or {}).get("cuped")
        if cuped:
            holm_p = row["adjusted"]["holm_p"]
            told = with_span(cuped["difference"], cuped["interval"], lambda value, row=row: size(row, value))
            adjusted.rows.append([str(row["epoch"]), name, f"{cuped['theta']:.3f}", told, chance(holm_p)])
    last = rows[-1] if rows else None
    return Panel(_lead(last, bool(compared.rows)) if last else NOBODY, tables=[compared, table, adjusted])


def _lead(last: Row, compared: bool) -> str:
    """What can be said of the last row, where the table below does not, and of whom nothing can be said yet."""
    said = "" if compared else verdict(last)
    late = waiting(last)
    return said if late in said else f"{said} {late}".strip()


def _compared(rows: Sequence[Row]) -> Table:
    """Each two variants: which of them is better, whatever the control group did."""
    heads = [Column("epoch", "epoch", TEXT), Column("variant", "", TEXT), Column("beside", "beside", TEXT)]
    table = Table([*heads, Column("p of the pair", "p_fixed"), Column("what can be said", "", "says")])
    for row, other in pairs(rows):
        said = [chance(other["p_fixed"]), beside(row, other)]
        table.rows.append([str(row["epoch"]), row["arm"], other["variant"], *said])
    return table


def _adjusted_table() -> Table:
    return Table(
        [
            Column("epoch", "epoch", TEXT),
            Column("arm", "", TEXT),
            Column("theta", "cuped"),
            Column("difference, habits taken out", "cuped"),
            Column("p over all variants", "holm_p"),
        ]
    )


def money(rows: Sequence[Row]) -> Panel:
    columns = [
        Column("activity", "", TEXT),
        Column("value"),
        Column("margin"),
        Column("cost", "cost"),
        Column("attributed ROI", "attributed_roi"),
        Column("incremental", "incremental_value"),
        Column("", "", "wide"),
        Column("iROI", "iroi"),
        Column("cost per incremental buyer", "cost_per_incremental"),
    ]
    table = Table(columns)
    for row in rows:
        picture = ""
        if row["interval"] is not None:
            label = with_span(row["incremental_value"], row["interval"], signed)
            low, high = row["interval"]
            style = "better" if low > 0 else "worse" if high < 0 else "open"
            picture = Markup(
                interval(row["incremental_value"], row["interval"], range_of(row["interval"]), style, label)
            )
        table.rows.append(
            [
                _by(row) + row["activity"],
                amount(row["value"]),
                amount(row["margin"]),
                amount(row["cost"]),
                signed_percent(row["attributed_roi"]),
                with_span(row["incremental_value"], row["interval"], signed),
                picture,
                _iroi(row),
                amount(row["cost_per_incremental"]),
            ]
        )
    return Panel(made(rows[0]) if len(rows) == 1 else "", tables=[table])


def _iroi(row: Row) -> str:
    """What was spent is known: its interval is that of the increment, divided by what was spent."""
    known = row["iroi"] is not None and row["interval"] is not None and row["incremental_value"]
    ends = [row["iroi"] * end / row["incremental_value"] for end in row["interval"]] if known else None
    return with_span(row["iroi"], ends, signed_percent)


def attribution(rows: Sequence[Row], increments: Mapping[str, str]) -> Panel:
    """Models side by side, one line an activity and channel, and beside them what the control group says.

    `increments`: activity -> the incremental users with their interval, as text.
    """
    models = list(dict.fromkeys(row["model"] for row in rows))
    credits: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        credits.setdefault((row["activity"] or "", row["channel"] or ""), {})[row["model"]] = row
    table = Table(
        [
            Column("activity", "", TEXT),
            Column("channel", "", TEXT),
            *(Column(words(model)) for model in models),
            Column("increment", "increment"),
        ]
    )
    for (activity, channel), by_model in sorted(credits.items(), key=lambda item: (not item[0][0], item[0])):
        shares = [
            f"{amount(by_model[m]['conversions'])} · {amount(by_model[m]['value'])}" if m in by_model else "–"
            for m in models
        ]
        table.rows.append([activity or "no message before", channel, *shares, increments.get(activity, "–")])
    return Panel("Conversions · value booked by each model; beside them what really came of it.", tables=[table])


def increment(row: Row) -> str:
    """Users beyond those who would have done it anyway."""
    if row["interval"] is None:
        return "–"
    n = row["n_treated"]
    return with_span(row["difference"] * n, [end * n for end in row["interval"]], signed)


def _by(row: Row) -> str:
    """What `--by` put in front of the row's own fields."""
    first = next(iter(row), "")
    asked = first in ("variant", "channel", "week", "theme", "plan") or first.startswith(("profile.", "crowd."))
    if not asked or first == "variant":
        return ""
    return f"{'unknown' if row[first] is None else row[first]}: "


_METHODS = {"observed": "as it was chosen", "ips": "IPS", "snips": "SNIPS", "dr": "doubly robust"}


def matching(rows: Sequence[Row]) -> Panel:
    """What each choice brought, and would have brought under another rule."""
    heads = (Column("method", "", TEXT), Column("choices"), Column("effective", "effective"), Column("a choice brings"))
    table = Table(heads)
    for row in rows:
        value = with_span(row["value"], row["interval"], amount)
        table.rows.append([_METHODS[row["method"]], count(row["choices"]), count(row["effective"]), value])
    lead = f"Group {rows[0]['group']}, as if it chose by: {rows[0]['policy']}." if rows else ""
    return Panel(lead, tables=[table])
