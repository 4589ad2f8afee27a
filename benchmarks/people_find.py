"""How fast a person is found: `python -m benchmarks.people_find [--events N] [--users N] [--quick | --write]`.

`--events` decisions of the last 90 days, each with an order, over `--users` people with a mail address and a device, in
the embedded store. Each kind of question is asked of people drawn by chance, by the use case of `kairos people find`.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import below
from kairos.adapters.search.entries import claim_entry, decision_entry, person_entry
from kairos.adapters.search.port import Entry
from kairos.adapters.search.sqlite import SqliteSearch
from kairos.adapters.warehouse.rows import hashed
from kairos.usecases.people.find import find

NEWEST = 1_793_620_800_000
KEPT = 90 * 86_400_000
ASKED = 300
GOAL_MS = 100.0
"""What an answer may take."""


def entries(decisions: int, users: int) -> Iterator[Entry]:
    for user in range(users):
        yield person_entry(f"user{user}", [hashed(f"user{user}@example.com")])
        yield claim_entry(f"user{user}", "device_id", f"device-{user:x}")
    row = {"activity": "order_unpaid", "attempt": 1, "outcome": "send", "reason": None, "channel": "sms"}
    for number in range(decisions):
        user = number * 7919 % users
        data = f'{{"order_id": "A-{number}", "platform": "mobile"}}'
        at = NEWEST - KEPT + number * KEPT // decisions
        yield decision_entry(
            {**row, "user_id": f"user{user}", "at_ms": at, "occurrence": f"{number:016x}", "data": data}
        )


def questions(decisions: int, users: int) -> dict[str, list[str]]:
    chance = random.Random(5)
    people = [chance.randrange(users) for _ in range(ASKED)]
    return {
        "a user id": [f"user{user}" for user in people],
        "a mail address": [f"user{user}@example.com" for user in people],
        "a device": [f"device-{user:x}" for user in people],
        "an order": [f"A-{chance.randrange(decisions)}" for _ in range(ASKED)],
        "what nobody has": [f"B-{user}" for user in people],
    }


def run(decisions: int, users: int) -> tuple[list[tuple[str, ...]], float, int]:
    """(rows, seconds of making the store, its bytes)."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "search.db"
        store = SqliteSearch(path)
        started = time.perf_counter()
        store.replace(entries(decisions, users))
        made = time.perf_counter() - started
        rows: list[tuple[str, ...]] = []
        for name, texts in questions(decisions, users).items():
            times = [_timed(store, text, expected=name != "what nobody has") for text in texts]
            worst = statistics.quantiles(times, n=100)[98]
            rows.append((name, f"{statistics.median(times):.2f}", f"{worst:.2f}", f"{max(times):.2f}"))
        store.close()
        return rows, made, path.stat().st_size


def _timed(store: SqliteSearch, text: str, *, expected: bool) -> float:
    """ms."""
    started = time.perf_counter()
    found = find(store, text)
    took = (time.perf_counter() - started) * 1000
    assert bool(found) is expected, f"{text}: {found}"
    return took


def table(decisions: int, users: int, rows: list[tuple[str, ...]], made: float, size: int) -> str:
    columns = ("`kairos people find`", "median ms", "99 of 100 ms", "slowest ms")
    head = (
        f"{decisions:,} decisions, {users:,} people, {ASKED} questions of each kind; the store took {made:,.0f} s to "
        f"make, and {size / 1e9:.1f} GB; {machine()}. The goal: under {GOAL_MS:.0f} ms."
    )
    return "\n".join([head, "", *grid(columns, rows)])


def main() -> None:
    given = arguments(__doc__, events=(10_000_000, 50_000), users=(1_000_000, 5_000))
    rows, made, size = run(given.events, given.users)
    slowest = max(float(row[2]) for row in rows)
    measure = "people find over 10 M decisions, 99 of 100, ms"
    text = table(given.events, given.users, rows, made, size)
    report("people_find", given, text, lambda: [below(measure, slowest, GOAL_MS)])


if __name__ == "__main__":
    main()
