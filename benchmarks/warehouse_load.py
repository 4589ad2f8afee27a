"""How fast a warehouse is loaded: `python -m benchmarks.warehouse_load [--events N] [--users N] [--quick | --write]`.

Each case is the real command in a process of its own: a file into an empty warehouse, and the same file once more, of
which nothing is new. The floor, in the same run: decode each line and sort, as for `kairos simulate`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.simulate import FLOOR, Measurement, measure, one_rule, write_events


def run(count: int, users: int) -> list[tuple[str, Measurement]]:
    kairos = str(Path(sys.executable).with_name("kairos"))
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        events, rules = work / "events.jsonl", one_rule(work / "rules")
        write_events(events, count, users)
        load = [kairos, "warehouse", "load", "--into", str(work / "w"), "--rules", str(rules), "--events", str(events)]
        cases = {
            "the floor: decode and sort": [sys.executable, "-c", FLOOR, str(events)],
            "into an empty warehouse": load,
            "the same file once more": load,
        }
        return [(name, measure(command)) for name, command in cases.items()]


def table(count: int, users: int, measured: list[tuple[str, Measurement]]) -> str:
    rows = [(name, f"{count / m.wall:,.0f}", f"{count / m.cpu:,.0f}", f"{m.memory} MB") for name, m in measured]
    columns = ("`kairos warehouse load`", "events/s", "events/s of one core", "memory")
    return "\n".join([f"{count:,} events of {users:,} users; {machine()}:", "", *grid(columns, rows)])


def main() -> None:
    given = arguments(__doc__, events=(1_000_000, 20_000), users=(100_000, 2_000))
    report("warehouse_load", given, table(given.events, given.users, run(given.events, given.users)))


if __name__ == "__main__":
    main()
