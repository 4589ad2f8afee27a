"""The last figures of all benchmarks, side by side with their goals: `benchmarks/results/latest.json`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

LATEST = Path(__file__).parents[1] / "results" / "latest.json"


class Result(msgspec.Struct, frozen=True):
    """`ours` and `peer` in the unit that `measure` names; both others are None where the goal is a figure."""

    measure: str
    ours: float | int
    peer: float | int | None
    ratio: float | None
    goal: str
    met: bool


def at_least(measure: str, ours: float, peer: float, factor: float) -> Result:
    """A goal of speed: so many times the peer's."""
    ratio = round(ours / peer, 3)
    return Result(measure, rounded(ours), rounded(peer), ratio, f">= {factor:g}x", ratio >= factor)


def below(measure: str, ours: float, limit: float) -> Result:
    """A goal of size or time."""
    return Result(measure, rounded(ours), None, None, f"< {limit:g}", ours < limit)


def at_most(measure: str, ours: float, limit: float) -> Result:
    """As `below`, where the limit itself will do."""
    return Result(measure, rounded(ours), None, None, f"<= {limit:g}", ours <= limit)


def attained(result: Result) -> float:
    """How far the goal was reached: 1 is just so, 2 is twice as fast, or half of the size, as asked for."""
    sign, _, figure = result.goal.partition(" ")
    limit = float(figure.removesuffix("x"))
    if sign == ">=":
        assert result.ratio is not None
        return result.ratio / limit
    return limit / result.ours


def record(results: Iterable[Result]) -> None:
    """Replaces what was there by the same name; the rest stays."""
    known = latest() if LATEST.exists() else []
    merged = {result.measure: result for result in known} | {result.measure: result for result in results}
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_bytes(msgspec.json.format(msgspec.json.encode(list(merged.values())), indent=2) + b"\n")


def latest() -> list[Result]:
    """Raises OSError where nothing was ever recorded."""
    return msgspec.json.decode(LATEST.read_bytes(), type=list[Result])


def rounded(value: float) -> float:
    return round(value, 3) if value < 100 else round(value)
