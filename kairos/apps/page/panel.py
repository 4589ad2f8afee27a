"""What one measure shows on the page: a sentence, charts, tables. page.liquid draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markupsafe import Markup

Cell = str
"""Plain text; Markup where it is a chart."""


class Column(NamedTuple):
    """`means`: key of definitions.FIELDS that its head leads to, or "". `style`: a class of page.css."""

    name: str
    means: str = ""
    style: str = "number"


@dataclass
class Table:
    columns: Sequence[Column]
    rows: list[list[Cell]] = field(default_factory=list)

    def drawn(self) -> dict[str, Any]:
        """For the template: each cell with its column."""
        heads = [column._asdict() for column in self.columns]
        rows = [
            [
                {"text": cell, "style": column.style, "name": column.name}
                for cell, column in zip(row, self.columns, strict=True)
            ]
            for row in self.rows
        ]
        return {"heads": heads, "rows": rows}


@dataclass
class Panel:
    lead: str = ""
    charts: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def drawn(self) -> dict[str, Any]:
        charts = [Markup(chart) for chart in self.charts if chart]
        return {"lead": self.lead, "charts": charts, "tables": [table.drawn() for table in self.tables if table.rows]}
