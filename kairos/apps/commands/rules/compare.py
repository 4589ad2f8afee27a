"""`kairos compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.apps.inputs.moments import moment
from kairos.apps.inputs.sides import A, B, Out, Sets, Since, Store, Until, sides_of
from kairos.apps.view.comparison import Form, show_comparison, write_differences
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, progress_bar, quote, say
from kairos.usecases.rules.compare import Compared, History, compare_rules
from kairos.usecases.rules.examples import examples

app = typer.Typer(rich_markup_mode=None)

_REPORTED = 100
"""Problems of the events file that are shown."""


@app.command()
def compare(
    a: A,
    b: B,
    events: Annotated[Path, typer.Argument(help="Events, one JSON object a line. `.gz` is unpacked.")],
    profiles: Annotated[Path | None, typer.Option(help="Profiles by user id, JSON.")] = None,
    since: Since = None,
    until: Until = None,
    sets: Sets = None,
    store: Store = None,
    out: Out = None,
    form: Annotated[Form, typer.Option("--format")] = "table",
) -> None:
    """Play the same events through two sets of rules and tell every decision that differs, with its cause.

    Nothing is said of what added messages would have brought: nobody received them. Every send counts as delivered.
    Exits with 0 without differences, 1 with some, 2 where it could not compare.

    \b
    Examples:
      kairos compare rules/ new-rules/ .kairos/data/ecom.jsonl
      kairos compare rules/ rules/ .kairos/data/ecom.jsonl \\
        --set B:policy.caps.marketing.rules.0.max=2
    """
    first, second = sides_of(a, b, store, sets or [])
    zone = ZoneInfo(first.rules.policy.timezone)
    start, end = moment(since, "--from", zone), moment(until, "--to", zone)
    history = History(events, profiles)
    with told():
        compared = compare_rules(first, second, history, start, end, progress_bar)
        stories = examples(first.rules, second.rules, history, compared.comparison.differences)
    _tell_problems(events, compared)
    found = compared.comparison.differences
    if out is not None:
        write_differences(out, found)
    show_comparison(first, second, compared, form, stories)
    raise typer.Exit(1 if found else 0)


def _tell_problems(events: Path, compared: Compared) -> None:
    for line, reason in sorted(compared.problems.items())[:_REPORTED]:
        say(f"{escape(str(events))}:{line}: {quote(reason)}")
    if len(compared.problems) > _REPORTED:
        say(f"... and {len(compared.problems) - _REPORTED:,} more lines that are no events")
