"""Numbers as people read them; the true ones stand in the JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kairos.engine.measure.statistics.share import share_interval

NONE = "–"
Number = float | int | None


def count(value: Number) -> str:
    return NONE if value is None else f"{value:,.0f}"


def amount(value: Number) -> str:
    """Money, or any sum: two digits where it is small."""
    if value is None:
        return NONE
    return minus(f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.2f}")


def percent(value: Number) -> str:
    return NONE if value is None else minus(f"{value:.1%}")


def points(value: Number) -> str:
    """A difference of two rates, in points of a hundred, with its sign."""
    return NONE if value is None else minus(f"{value * 100:+.1f}")


def signed(value: Number) -> str:
    return NONE if value is None else minus(f"{value:+,.0f}" if abs(value) >= 1_000 else f"{value:+,.2f}")


def signed_percent(value: Number) -> str:
    return NONE if value is None else minus(f"{value:+.0%}")


def chance(value: Number) -> str:
    """A p-value."""
    return NONE if value is None else "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def span(interval: Sequence[float] | None, of: Any) -> str:
    return NONE if interval is None else f"{of(interval[0])} … {of(interval[1])}"


def with_span(value: Number, interval: Sequence[float] | None, of: Any) -> str:
    return f"{of(value)} ({span(interval, of)})" if interval is not None else f"{of(value)}"


def share(hits: Number, trials: Number) -> str:
    """A share of those who were seen, with its interval."""
    if hits is None or not trials:
        return NONE
    return with_span(hits / trials, share_interval(hits, trials), percent)


def minus(text: str) -> str:
    """With a real minus sign, and none before a zero."""
    return text.lstrip("-") if not text.strip("-0.,%") else text.replace("-", "−")


def moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def words(name: str) -> str:
    """A name of the rules, as words."""
    return name.replace("_", " ")
