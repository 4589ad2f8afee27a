"""The panels about what users do: retention, activation, lifecycle, churn, repurchase, visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kairos.apps.page.numbers import count, moment, percent, share, span
from kairos.apps.page.panel import Column, Panel, Table
from kairos.apps.page.svg import Line, bar, columns, curves
from kairos.engine.measure.statistics.share import share_interval

Row = Mapping[str, Any]
TEXT = "text"


def retention(rows: Sequence[Row]) -> Panel:
    """A heat map, a cohort a line where there are weeks, and the curve over the plain days."""
    days = list(dict.fromkeys(str(row["day"]) for row in rows))
    cohorts: dict[str, dict[str, Row]] = {}
    for row in rows:
        cohorts.setdefault(str(row.get("week") or "all"), {})[str(row["day"])] = row
    table = Table(
        [Column("cohort", "", TEXT), Column("starters"), *(Column(f"day {day}", "rate", "heat") for day in days)]
    )
    for cohort, by_day in cohorts.items():
        starters = max(row["starters"] for row in by_day.values())
        table.rows.append([cohort, count(starters), *(_heat(by_day.get(day)) for day in days)])
    lines = [
        _curve(name, by_day, "main" if name == "all" or len(cohorts) == 1 else "") for name, by_day in cohorts.items()
    ]
    drawn = [line for line in sorted(lines, key=lambda line: line.style) if len(line.points) > 1]
    return Panel(charts=[curves(drawn, "day")], tables=[table])


def _heat(row: Row | None) -> str:
    if row is None or row["rate"] is None:
        return Markup('<span class="none">–</span>')
    tip = f"{row['returned']:,} of {row['starters']:,}"
    ends = span(share_interval(row["returned"], row["starters"]), percent)
    shown = f"{percent(row['rate'])}<small>{ends}</small>"
    return Markup(f'<span class="of-{round(row["rate"] * 10)}" title="{tip}">{shown}</span>')


def _curve(name: str, by_day: Mapping[str, Row], style: str) -> Line:
    plain = [(float(day), row["rate"]) for day, row in by_day.items() if day.isdigit() and row["rate"] is not None]
    return Line(name, sorted(plain), style)


def lifecycle(rows: Sequence[Row]) -> Panel:
    kinds = ("returning", "resurrecting", "new")
    chart = columns([(str(row["period"]), [(kind, row[kind]) for kind in kinds], row["dormant"]) for row in rows])
    table = Table(
        [
            Column("period", "", TEXT),
            Column("new", "", "number key new"),
            Column("returning", "", "number key returning"),
            Column("resurrecting", "", "number key resurrecting"),
            Column("dormant", "", "number key dormant"),
        ]
    )
    for row in rows:
        table.rows.append(
            [str(row["period"]), *(count(row[kind]) for kind in ("new", "returning", "resurrecting", "dormant"))]
        )
    return Panel(charts=[chart], tables=[table])


def shares(*fields: str) -> Callable[[Sequence[Row]], Panel]:
    """A panel of counts that end in a rate: the last of them of the one before it."""

    def panel(rows: Sequence[Row]) -> Panel:
        groups = [name for name in (rows[0] if rows else ()) if name not in (*fields, "rate", "at_ms", "after")]
        known = [name for name in groups if not name.endswith("_days")]
        days = [name for name in groups if name.endswith("_days")]
        table = Table(
            [
                *(Column(name, "", TEXT) for name in known),
                *(Column(field) for field in fields),
                Column("rate", "rate"),
                Column("", "", "wide"),
                *(Column(name.replace("_", " ")) for name in days),
            ]
        )
        for row in rows:
            drawn = Markup(bar(row["rate"] or 0, label=percent(row["rate"])))
            table.rows.append(
                [
                    *(str(row[name]) for name in known),
                    *(count(row[field]) for field in fields),
                    share(row[fields[-1]], row[fields[-2]]),
                    drawn,
                    *(_days(row[name]) for name in days),
                ]
            )
        at = rows[0].get("at_ms") if rows else None
        return Panel(f"As of {moment(at)}." if at is not None else "", tables=[table])

    return panel


def _days(value: float | None) -> str:
    return "not reached" if value is None else f"{value:g} d"


def visits(rows: Sequence[Row]) -> Panel:
    most = max((row["visits"] for row in rows), default=0)
    table = Table(
        [Column("place", "", TEXT), Column("visits"), Column("", "", "wide"), Column("visitors"), Column("per visitor")]
    )
    for row in rows:
        drawn = Markup(bar(row["visits"] / most if most else 0, label=f"{row['visits']:,}"))
        each = row["per_visitor"]
        table.rows.append(
            [
                str(row["place"]),
                count(row["visits"]),
                drawn,
                count(row["visitors"]),
                "–" if each is None else f"{each:.2f}",
            ]
        )
    return Panel(tables=[table])
