"""Reckons docs/scale.md of the figures in docs/performance.md: `python tools/draw_scale.py --write`."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.marked import draw, page_with  # noqa: E402

PAGE = ROOT / "docs" / "scale.md"
MEASURED = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- scale: tools/draw_scale.py -->", "<!-- /scale -->"

USERS = 100_000_000
EVENTS = 1_000_000
"""Events a second, at the peak."""
MESSAGES = 6_000
"""Messages a second at the peak: one a user and day, five times as many in the busiest minutes."""
BUSY = 0.7
"""How busy anything may be at the peak."""
REMEMBERED = 50
"""Events a user within the horizon of repetitions."""
OPEN = 3
"""Open matches a user."""


def row(benchmark: str, label: str) -> list[float]:
    """The numbers of a row of performance.md, in its order. Raises LookupError."""
    text = MEASURED.read_text()
    begin = text.index(f"<!-- benchmarks.{benchmark} -->")
    for line in text[begin : text.index(f"<!-- /benchmarks.{benchmark} -->", begin)].splitlines():
        if line.startswith(f"| {label} |"):
            cells = line.removeprefix(f"| {label} |")
            return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", cells)]
    raise LookupError(f"{MEASURED}: benchmarks.{benchmark} has no row '{label}'")


def drawing() -> str:
    """A row for each part: what one does, how many it takes, what limits it."""
    door, single = (row("gateway", f"{kind} in a request")[-4] for kind in ("envelopes, 50", "one envelope"))
    job, *_, cores = row("job.scale", "1")
    loader = row("warehouse_load", "into an empty warehouse")[1]
    worker = row("deliver", "MariaDB")[0]
    blast = row("scheduler", "a blast, no rate")[2]
    user, managers = bytes_of_a_user(), need(EVENTS, job)
    rows = [
        (
            "gateway",
            f"{door:,.0f} events/s of one core, 50 in a request",
            f"{need(EVENTS, door)} cores",
            f"the processor; one event in a request costs {door / single:.0f} times as much",
        ),
        (
            "the job",
            f"{job:,.0f} events/s a TaskManager of {cores:g} cores, 100 rules, RocksDB",
            f"{managers} TaskManagers, {math.ceil(managers * cores)} cores",
            "the thread of `evaluate`",
        ),
        (
            "state",
            f"{user:,.0f} bytes a user: {OPEN} open matches, {REMEMBERED} events remembered",
            f"{USERS * user / 1e9:,.0f} GB, {USERS * user / managers / 1e9:,.1f} GB a TaskManager",
            "disk; RocksDB keeps what is hot in memory",
        ),
        (
            "workers",
            f"{worker:,.0f} messages/s, Kafka and the ledger on the same machine",
            f"{need(MESSAGES, worker)}, over all channels",
            "the ledger: one database, and nobody has measured how many workers it bears",
        ),
        (
            "loader of the warehouse",
            f"{loader:,.0f} events/s of one core",
            f"{need(EVENTS, loader)} cores",
            "**one process holds the warehouse**: several warehouses, for which there is no command",
        ),
        (
            "a blast to everyone",
            f"{blast:,.0f} users/s",
            f"{USERS / blast / 60:,.0f} minutes",
            "one scheduler leads",
        ),
    ]
    busy = f"each thing {BUSY:.0%} busy then"
    head = f"For {USERS:,} users, {EVENTS:,} events/s and {MESSAGES:,} messages/s at the peak, {busy}:"
    table = ["| part | one does | needed | what limits it |", "|---|---|---|---|"]
    return "\n".join([head, "", *table, *(f"| {' | '.join(cells)} |" for cells in rows)]) + "\n"


def bytes_of_a_user() -> float:
    touched, first, further, remembered = (
        row("user_state", label)[0]
        for label in (
            "10 rules touched, none of them open, and the three metrics that they read",
            "each open match, the first of its rule",
            "each further open match of the same rule",
            "each event remembered against repetitions",
        )
    )
    return touched + first + (OPEN - 1) * further + REMEMBERED * remembered


def need(rate: float, one: float) -> int:
    return math.ceil(rate / one / BUSY)


def page() -> str:
    """The page with this drawing between its marks."""
    return page_with(PAGE, BEGIN, END, drawing())


if __name__ == "__main__":
    draw(PAGE, page, drawing)
