"""A comparison as a page: the same as on a terminal, with more room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import islice

from liquid import DictLoader, Environment
from markupsafe import Markup

from kairos.adapters.rules.side import NamedRules
from kairos.apps.page.compared import change_of, heading, in_the_way, shown_classes, totals, verdict_of
from kairos.apps.page.numbers import count
from kairos.apps.page.panel import Column, Table
from kairos.engine.compare.report import Comparison
from kairos.usecases.rules.compare import Compared
from kairos.usecases.rules.examples import Example

EXAMPLES = 20
"""Differences of a cause."""


def render_comparison(
    a: NamedRules,
    b: NamedRules,
    compared: Compared,
    told: Sequence[Example] = (),
    title: str = "What the change would have done",
) -> str:
    """HTML, self-contained. The same comparison gives the same bytes."""
    folder = files("kairos.apps.page")
    texts = {name: folder.joinpath(f"{name}.liquid").read_text(encoding="utf-8") for name in ("comparison", "table")}
    template = Environment(autoescape=True, loader=DictLoader(texts)).get_template("comparison")
    comparison = compared.comparison
    return template.render(
        title=title,
        style=Markup(folder.joinpath("page.css").read_text(encoding="utf-8")),
        heading=list(heading(a, b, compared)),
        activities=activity_table(comparison).drawn(),
        causes=cause_tables(comparison, {id(one.difference): one for one in told}),
        peaks=_peaks(comparison).drawn(),
        totals=list(totals(a, b, comparison)),
    )


def activity_table(comparison: Comparison) -> Table:
    """A row an activity."""
    kinds = shown_classes(comparison.activities)
    table = Table([Column("activity", "", "name"), *(Column(kind) for kind in (*kinds, "sends", "users"))])
    for row in comparison.activities:
        counts = [count(getattr(row, kind)) for kind in kinds]
        changes = [change_of(row.sends_a, row.sends_b), change_of(row.users_a, row.users_b)]
        table.rows.append([row.activity, *counts, *changes])
    return table


def cause_tables(comparison: Comparison, told: Mapping[int, Example]) -> list[dict[str, object]]:
    """A table a cause. `told`: id of a difference -> its story."""
    found = []
    for cause in comparison.causes:
        of_cause = (one for one in comparison.differences if (one.kind, one.cause) == (cause.kind, cause.cause))
        table = Table(
            [Column("user", "", "name"), Column("activity", "", "text"), Column("what became of it", "", "says")]
        )
        stories = []
        for one in islice(of_cause, EXAMPLES):
            table.rows.append([one.user_id, one.activity, f"{verdict_of(one)}{in_the_way(one)}"])
            if (story := told.get(id(one))) is not None:
                stories.append({"name": f"{one.user_id}, {one.activity}", "a": story.a, "b": story.b})
        name = f"{cause.kind}: {cause.n:,} because of {cause.cause}"
        found.append({"name": name, "more": cause.n - len(table.rows), "table": table.drawn(), "stories": stories})
    return found


def _peaks(comparison: Comparison) -> Table:
    table = Table([Column("channel", "", "name"), Column("A"), Column("B")])
    for peak in comparison.peaks:
        table.rows.append([peak.channel, count(peak.a), count(peak.b)])
    return table
