"""Evaluations a second of compiled conditions, against zen-engine and CEL:
`python -m benchmarks.expressions [--events N] [--quick] [--write]`.

The same ten conditions, each in the language of its side (benchmarks/peers/conditions.py), of the same events; compiled
once, asked of every event, one core. All sides must give the same answers. What a side makes of an event before it can
ask counts: once an event, where it can be kept for all ten.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.page import PAGE, note
from benchmarks.peers.conditions import CONDITIONS, events, measure
from benchmarks.peers.environment import peers_python
from benchmarks.results import at_least, record
from kairos.engine.expression import Scope, parse

PEERS = {
    "zen-engine": "benchmarks.peers.with_zen",
    "CEL, common-expression-language": "benchmarks.peers.with_cel",
    "CEL, cel-expr-python": "benchmarks.peers.with_cel_expr",
}
GOAL = 5


class Said(msgspec.Struct, frozen=True):
    """What one side tells: processor seconds for so many evaluations; how many were true, and all answers as one."""

    evaluations: int
    processor: float
    true: int
    digest: int

    @property
    def rate(self) -> float:
        return self.evaluations / self.processor


def ours(count: int) -> str:
    scope = Scope()

    def at(props: dict[str, Any]) -> Scope:
        scope.props = props
        return scope

    return measure(events(count), [parse(condition.kairos).predicate() for condition in CONDITIONS], at)


def run(count: int, rounds: int) -> dict[str, Said]:
    """The sides in turn; the median round of each."""
    python, folder = str(peers_python()), Path(__file__).parents[1]
    commands = {"Kairos": [sys.executable, "-m", "benchmarks.expressions", "--ours"]}
    commands |= {name: [python, "-m", module] for name, module in PEERS.items()}
    said: dict[str, list[Said]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            told = subprocess.run([*command, str(count)], cwd=folder, check=True, stdout=subprocess.PIPE).stdout
            said[name].append(msgspec.json.decode(told, type=Said))
    answers = {(one.true, one.digest) for runs in said.values() for one in runs}
    if len(answers) != 1:
        sys.exit(f"the sides do not agree (how many are true, checksum): {sorted(answers)}")
    return {name: sorted(runs, key=lambda one: one.rate)[len(runs) // 2] for name, runs in said.items()}


def table(count: int, measured: dict[str, Said]) -> str:
    first = next(iter(measured.values()))
    rows = [
        f"{count:,} events, {len(CONDITIONS)} conditions, {first.true / first.evaluations:.0%} of the answers true; "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} when it ended:",
        "",
        "| | evaluations/s of one core | Kairos is faster by |",
        "|---|---|---|",
    ]
    rows += [f"| {name} | {said.rate:,.0f} | {first.rate / said.rate:.1f} |" for name, said in measured.items()]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few events, once: only to see that it works")
    parser.add_argument("--write", action="store_true", help="put the result into docs/performance.md")
    parser.add_argument("--ours", type=int, help="measure Kairos alone, with so many events, and tell it in JSON")
    given = parser.parse_args()
    if given.ours:
        print(ours(given.ours))
        return
    count, rounds = (2_000, 1) if given.quick else (given.events, given.rounds)
    measured = run(count, rounds)
    text = table(count, measured)
    print(text)
    if given.write:
        rates = {name: said.rate for name, said in measured.items()}
        mine = rates.pop("Kairos")
        record(at_least(f"expressions, evaluations/s: {name}", mine, rate, GOAL) for name, rate in rates.items())
        PAGE.write_text(note(PAGE.read_text(), "benchmarks.expressions", text))


if __name__ == "__main__":
    main()
