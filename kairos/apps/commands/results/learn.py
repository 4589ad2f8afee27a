"""`kairos learn`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.commands.results.warehouse import default_warehouse
from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import TIME, moment
from kairos.apps.view.errors import told
from kairos.apps.view.screen import put, screen, table
from kairos.apps.view.terminal import say
from kairos.engine.rule.lower.variants import shares_of
from kairos.engine.rule.model import RuleSet
from kairos.usecases.results.learn import NUMBERS, Learned, keep, learn
from kairos.usecases.rules.plans import library

app = typer.Typer(rich_markup_mode=None)
PLANS = Path("plans")


@app.command("learn")
def command(
    rules: Annotated[Path, typer.Argument(help="The rule folder: numbers.yaml is written into it.")] = Path("rules"),
    warehouse: Annotated[Path | None, typer.Option(help="Its folder; else --conf's, else the data folder's.")] = None,
    as_of: Annotated[str | None, typer.Option(help=f"What was known then: {TIME}. Default: the newest event.")] = None,
    engine: Annotated[str, typer.Option(help="duckdb, or the URL of a Trino.")] = DUCKDB,
    plans: Annotated[Path, typer.Option(help="The plan library, whose evidence is believed of what is new.")] = PLANS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what was learned and write nothing.")] = False,
) -> None:
    """Find the weights of variants that `choose: best`, and what each activity brings; write them as numbers.yaml.

    Nothing changes for users before the folder is published. The same warehouse teaches the same.

    \b
    Examples:
      kairos learn && kairos publish rules
      kairos learn rules --as-of 2026-12-01T00:00Z --dry-run
    """
    with told():
        rule_set, loaded = valid_rules(rules)
        known = moment(as_of, "--as-of", ZoneInfo(rule_set.policy.timezone))
        shown = library(plans).plans if plans.exists() else {}
        evidence = {name: plan.evidence for name, plan in shown.items() if plan.evidence is not None}
        learned = learn(warehouse or default_warehouse(), rule_set, loaded.measures, known, engine, evidence)
    _show(rule_set, learned)
    if not dry_run:
        with told():
            new = keep(rules, learned)
        say(f"{rules / NUMBERS}: {'written; `kairos publish` brings it to users' if new else 'nothing new'}")


def _show(rules: RuleSet, learned: Learned) -> None:
    console = screen()
    if learned.variants:
        numbers = ("users", "reached", "rate", "is best", "had", "gets")
        shown = table("activity", "variant", *numbers, right=numbers)
        for activity, weights in learned.variants.items():
            had = {variant.name: variant.weight for variant in rules.activities[activity].variants}
            gets = shares_of(list(weights), weights, rules.best[activity].explore)
            for name, weight in weights.items():
                seen = learned.seen[activity][name]
                rate = f"{seen.reached / seen.users:.1%}" if seen.users else "-"
                shown.add_row(activity, name, f"{seen.users:,}", f"{seen.reached:,}", rate, f"{weight:.0%}",
                              f"{had[name]:.0%}", f"{gets[name]:.0%}")  # fmt: skip
        console.print(shown)
    for activity, uplift in learned.uplift.items():
        put(console, f"uplift of {activity}: {uplift * 100:+.2f} points")
    for budget, price in learned.prices.items():
        put(console, f"price of {budget}: a unit of its money has to bring {price:g}")
