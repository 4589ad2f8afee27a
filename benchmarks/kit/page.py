"""The page that benchmarks write their last result into, and how a result looks there."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def note(page: str, name: str, text: str) -> str:
    """The page with the text in the place that is kept for this benchmark. Raises ValueError where there is none."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"{PAGE.name} keeps no place for {name}")
    return f"{page.partition(begin)[0]}{begin}\n{text}\n{end}{page.partition(end)[2]}"


def machine(others: str = "") -> str:
    """`others`: what else runs on its cores."""
    cores = f"{os.cpu_count()} cores{f' with {others} on them' if others else ''}"
    return f"Python {platform.python_version()}, {cores}, load {os.getloadavg()[0]:.1f} when it ended"


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table."""
    return [_row(head), "|---" * len(head) + "|", *(_row(row) for row in rows)]


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |".replace("|  |", "| |")
