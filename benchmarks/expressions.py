"""Evaluations a second of compiled conditions, against zen-engine and CEL:
`python -m benchmarks.expressions [--events N] [--rounds N] [--quick | --write]`.

The same ten conditions, each in the language of its side (benchmarks/peers/conditions.py), of the same events; compiled
once, asked of every event, one core. All sides must give the same answers. What a side makes of an event before it can
ask counts: once an event, where it can be kept for all ten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_least
from benchmarks.kit.sides import Said, agree, medians
from benchmarks.peers.conditions import CONDITIONS, events, measure
from benchmarks.peers.environment import peers_python
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts

KAIROS = "Kairos"
PEERS = {
    "zen-engine": "benchmarks.peers.with_zen",
    "CEL, common-expression-language": "benchmarks.peers.with_cel",
    "CEL, cel-expr-python": "benchmarks.peers.with_cel_expr",
}
GOAL = 5
OURS = "ours"
"""Said instead of options: this process is our side."""


def ours(count: int) -> str:
    scope = Facts()

    def at(props: dict[str, Any]) -> Facts:
        scope.props = props
        return scope

    return measure(events(count), [parse(condition.kairos).predicate() for condition in CONDITIONS], at)


def run(count: int, rounds: int) -> dict[str, Said]:
    python = str(peers_python())
    commands = {KAIROS: [sys.executable, "-m", "benchmarks.expressions", OURS, str(count)]}
    commands |= {name: [python, "-m", module, str(count)] for name, module in PEERS.items()}
    measured = medians(commands, rounds)
    agree(measured.values())
    return measured


def table(count: int, measured: dict[str, Said]) -> str:
    first = measured[KAIROS]
    head = (
        f"{count:,} events, {len(CONDITIONS)} conditions, {first.results / first.done:.0%} of the answers true; "
        f"{machine()}:"
    )
    rows = [(name, f"{said.rate:,.0f}", f"{first.rate / said.rate:.1f}") for name, said in measured.items()]
    return "\n".join([head, "", *grid(("", "evaluations/s of one core", "Kairos is faster by"), rows)])


def results(measured: dict[str, Said]) -> Iterator[Result]:
    for peer in PEERS:
        yield at_least(f"expressions, evaluations/s: {peer}", measured[KAIROS].rate, measured[peer].rate, GOAL)


def main() -> None:
    if sys.argv[1:2] == [OURS]:
        print(ours(int(sys.argv[2])))
        return
    given = arguments(__doc__, events=(100_000, 2_000), rounds=(5, 1))
    measured = run(given.events, given.rounds)
    report("expressions", given, table(given.events, measured), lambda: results(measured))


if __name__ == "__main__":
    main()
