"""`kairos releases`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import typer

from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import count, escape, say
from kairos.usecases.control import history

app = typer.Typer(rich_markup_mode=None)


@app.command()
def releases(store: RuleStore = None) -> None:
    """List every release: when it was published and by whom. A rule folder knows its newest only.

    \b
    Example:
      kairos releases --store "$KAIROS_STORE"
    """
    with told():
        target = rule_store(store)
        acting(target).need("look")
        rows = history.releases(target)
        same = history.repeated(rows)
        if not rows:
            say("nothing is published: kairos publish RULES")
        for row in rows:
            at = datetime.fromtimestamp(row.published_at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
            known = row.release.rules.activities if row.release is not None else None
            held = "broken" if known is None else count(len(known), "activity", "activities")
            held += f", as in release {same[row.number]}" if row.number in same else ""
            sys.stdout.write(f"{row.number:>6}  {at}  {escape(row.author or '-'):<20} {held}\n")
