"""A comparison of two sets of rules, as a table or a page for people, or JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

from kairos.adapters.rules.side import NamedRules
from kairos.apps.page.compared import change_of, heading, in_the_way, shown_classes, totals, verdict_of
from kairos.apps.view.screen import lay, put, screen, table
from kairos.apps.view.terminal import escape, fail
from kairos.engine.compare.difference import Difference
from kairos.engine.compare.report import Comparison, Peak, Row
from kairos.usecases.errors import reason_of
from kairos.usecases.rules.compare import Compared
from kairos.usecases.rules.examples import Example
from kairos.usecases.rules.spending import spent_on

_EXAMPLES = 5
"""Differences of a cause that the table shows; the page shows more, the file of differences has all."""
_LINES = 2
"""Of a story, on a terminal."""
Form = Literal["table", "json", "html"]
DIFFERENCES = "differences.jsonl"


def write_differences(folder: Path, differences: Iterable[Difference]) -> None:
    """Into the folder that `--out` names."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DIFFERENCES).write_bytes(msgspec.json.Encoder().encode_lines(differences))
    except OSError as error:
        fail(f"--out {escape(str(folder))}: {reason_of(error)}")


def as_json(a: NamedRules, b: NamedRules, compared: Compared, told: Sequence[Example] = ()) -> bytes:
    comparison = compared.comparison
    return msgspec.json.encode(
        {
            "a": {"name": a.name, "hash": a.hash},
            "b": {"name": b.name, "hash": b.hash},
            "coverage": compared.coverage,
            "activities": comparison.activities,
            "causes": comparison.causes,
            "peaks": comparison.peaks,
            "costs": spent_on(comparison.sends, a.measures, b.measures),
            "pressure": comparison.pressure,
            "examples": [{**msgspec.to_builtins(one.difference), "explain": {"a": one.a, "b": one.b}} for one in told],
        }
    )


def show_comparison(a: NamedRules, b: NamedRules, compared: Compared, form: Form, told: Sequence[Example] = ()) -> None:
    """On standard output. `told`: differences of which there is a story."""
    if form == "json":
        sys.stdout.buffer.write(as_json(a, b, compared, told) + b"\n")
    elif form == "html":
        from kairos.apps.page.comparison import render_comparison

        sys.stdout.write(render_comparison(a, b, compared, told))
    else:
        show_table(a, b, compared, told=told)


def show_table(
    a: NamedRules,
    b: NamedRules,
    compared: Compared,
    examples: int = _EXAMPLES,
    rates: Mapping[str, float] | None = None,
    told: Sequence[Example] = (),
) -> None:
    """`examples`: differences shown of each cause. `rates`: channel -> calls a second, where they are known."""
    comparison = compared.comparison
    console = screen()
    for line in heading(a, b, compared):
        put(console, line)
    lay(console, _rows(comparison.activities))
    show_causes(console, comparison, examples, told)
    for peak in comparison.peaks:
        limit = _limit(peak, (rates or {}).get(peak.channel))
        put(console, f"peak a minute, {peak.channel}: {peak.a:,} -> {peak.b:,}{limit}")
    for line in totals(a, b, comparison):
        put(console, escape(line))


def show_causes(console: Console, comparison: Comparison, examples: int, told: Sequence[Example] = ()) -> None:
    """Each cause of each class, and so many of its differences; of those that have a story, its end on each side."""
    stories = {id(one.difference): one for one in told}
    for cause in comparison.causes:
        console.print()
        put(console, f"{cause.kind}: {cause.n:,} because of {cause.cause}")
        of_cause = (one for one in comparison.differences if (one.kind, one.cause) == (cause.kind, cause.cause))
        for _, one in zip(range(examples), of_cause, strict=False):
            put(console, f"{escape(one.user_id)}  {one.activity}  {verdict_of(one)}{in_the_way(one)}", 2, hang=2)
            if (story := stories.get(id(one))) is not None:
                for side, lines in (("A", story.a), ("B", story.b)):
                    for line in lines[-_LINES:]:
                        put(console, f"{side}  {escape(line)}", 4, hang=3)


def _limit(peak: Peak, rate: float | None) -> str:
    """`rate`: calls a second that the channel's workers may make; None: there is no threshold."""
    if rate is None:
        return ""
    most = rate * 60
    return f", of {most:,g} that its rate allows{': what comes faster waits' if peak.b > most else ''}"


def _rows(activities: list[Row]) -> Table:
    return rows_of("activity", [(row.activity, row) for row in activities])


def rows_of(first: str, rows: Sequence[tuple[str, Row]]) -> Table:
    """What is in both, and what differs; `first`: the heading of what each row is about."""
    kinds = shown_classes([row for _, row in rows])
    shown = table(first, *kinds, "sends", "users", ruled=False)
    for name, row in rows:
        counts = [f"{getattr(row, kind):,}" for kind in kinds]
        shown.add_row(name, *counts, change_of(row.sends_a, row.sends_b), change_of(row.users_a, row.users_b))
    return shown
