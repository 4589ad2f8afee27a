"""numbers.yaml: what was learned of activities and variants that are no longer what they were."""

from __future__ import annotations

from collections.abc import Iterable

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import Report, listed

_AGAIN = "`kairos learn` writes the file anew"


def check_numbers(numbers: Value, drafts: Iterable[Draft], report: Report) -> None:
    by_name = {draft.name: draft for draft in drafts}
    for table in ("variants", "uplift"):
        entries = numbers.find(table)
        for name, weights in entries.items() if entries else ():
            draft, place = by_name.get(name), entries.keys[name] if entries else numbers.node
            if draft is None:
                _stale(place, f"{table}: there is no activity '{name}'", report)
            elif table == "variants":
                _check_weights(draft, weights, place, report)


def check_prices(numbers: Value, budgets: frozenset[str] | None, report: Report) -> None:
    """`budgets` None: policy.yaml cannot be read."""
    prices = numbers.find("prices")
    if prices is not None and budgets is not None:
        for name in prices.keys.keys() - budgets:
            _stale(prices.keys[name], f"prices: there is no budget '{name}'", report)


def _check_weights(draft: Draft, weights: Value, place: Node, report: Report) -> None:
    names = [variant.name for variant in draft.activity.variants]
    if draft.best is None:
        _stale(place, f"variants: {draft.name} has no variants of which the best is chosen", report)
    elif set(weights.keys) != set(names) and not draft.source.broken:
        known = listed(sorted(names), "and")
        _stale(place, f"variants: {draft.name} has {known}, so these weights are not used", report)


def _stale(place: Node, message: str, report: Report) -> None:
    report.warning(place, "stale-number", message, _AGAIN)
