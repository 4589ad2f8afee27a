"""A comparison in words, for the page and the terminal alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kairos.adapters.rules.side import NamedRules
from kairos.engine.compare.difference import CLASSES, Difference
from kairos.engine.compare.report import Comparison, Row
from kairos.engine.decision import Record
from kairos.usecases.rules.compare import Compared
from kairos.usecases.rules.spending import spent_on


def heading(a: NamedRules, b: NamedRules, compared: Compared) -> Iterator[str]:
    """What was compared, and how much of it."""
    coverage = compared.coverage
    yield (
        f"{coverage.events:,} events, {coverage.invalid:,} lines left out; profiles: {coverage.profiles}; "
        "every send counts as delivered"
    )
    days = coverage.warm_up / 86_400_000
    if not coverage.warmed_up:
        yield f"The history is shorter than the warm-up of {days:.1f} d: metrics and caps begin empty."
    elif coverage.warm_up:
        yield f"The warm-up of {days:.1f} d before that fills metrics and caps, and is not counted."
    if coverage.why:
        yield f"{coverage.why[0].upper()}{coverage.why[1:]}."
    yield f"A {a.name} ({a.hash}), B {b.name} ({b.hash})"


def shown_classes(activities: Sequence[Row]) -> list[str]:
    """Those that something is of, and `same`."""
    return [kind for kind in CLASSES if kind == "same" or any(getattr(row, kind) for row in activities)]


def change_of(a: int, b: int) -> str:
    return f"{a:,} -> {b:,}" if a != b else f"{a:,}"


def totals(a: NamedRules, b: NamedRules, comparison: Comparison) -> Iterator[str]:
    """What the sends cost, where measures.yaml says so, and how often each cap stood in the way."""
    spent = spent_on(comparison.sends, a.measures, b.measures)
    if spent is not None:
        by_channel = ", ".join(f"{one.channel} {_money(one.a, one.b)}" for one in spent.channels)
        yield f"cost, {spent.currency or 'as in measures.yaml'}: {_money(spent.a, spent.b)} ({by_channel})"
    for each in comparison.pressure:
        held, refused = change_of(each.held_a, each.held_b), change_of(each.refused_a, each.refused_b)
        yield f"cap {each.cap}: held {held}, refused {refused}"


def _money(a: float, b: float) -> str:
    return f"{a:,.2f} -> {b:,.2f}" if a != b else f"{a:,.2f}"


def verdict_of(one: Difference) -> str:
    told = " -> ".join(_side(record) for record in (one.a, one.b))
    if one.kind == "reworded" and one.a is not None and one.b is not None:
        before, after = one.a.template, one.b.template
        return f"{_side(one.a)} {before} -> {after}" if before != after else f"{_side(one.a)}, in other words"
    if one.kind != "moved" or one.a is None or one.b is None:
        return told
    moved = one.b.at - one.a.at
    return f"{told}, {abs(moved) / 60_000:,.0f} min {'later' if moved > 0 else 'earlier'}"


def _side(record: Record | None) -> str:
    return "nothing" if record is None else f"{record.outcome} {record.reason or record.channel or ''}".strip()


def in_the_way(one: Difference) -> str:
    names = ", ".join(sorted({each.activity for each in one.displaced_by}))
    return f"  (displaced by {names})" if names else ""
