"""Journeys beside plain rules: `python -m benchmarks.journeys [--events N] [--rounds N] [--quick | --write]`.

The engine alone, one process: 1,000 plain rules, and 1,000 of which 100 are journeys (an entry, a wait, a message, a
wait for an event, a message). Both play the same events in the same run, one after the other; rates are events a second
of processor time, the median of the rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.engine_run import Users
from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_least
from benchmarks.kit.workload import HOUR, Made, events, rules_of, write_rules, yaml_of
from benchmarks.peers.handwritten import Rule
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate
from kairos.engine.settings import Settings

RULES, JOURNEYS = 1_000, 100
EVENTS_A_USER = 12
LEAST = 0.9
"""Of the rate of plain rules."""


def journey_of(rule: Rule) -> str:
    """Begins and goes on with the events of this rule."""
    first, second = (f"[{', '.join(types)}]" for types in (rule.first, rule.second))
    return f"""journey: {rule.name}
state: live
trigger: {{event: {first}, as: a, where: amount >= {rule.least}}}
reenter: {{after: 10m}}
steps:
  - {{wait: 5m}}
  - {{id: hello, send: [{{channel: webhook}}]}}
  - {{id: back, wait_for: {{event: {second}, within: 10m}}}}
  - {{id: bye, when: sent(hello), send: [{{channel: webhook}}]}}
"""


def write(folder: Path, journeys: int) -> Path:
    """As many journeys among the rules, spread evenly; the rest are plain."""
    every = RULES // journeys if journeys else RULES + 1
    rules = rules_of(RULES)
    write_rules(folder, (yaml_of(rule) for n, rule in enumerate(rules) if (n + 1) % every))
    place = folder / "journeys" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    for n, rule in enumerate(rules):
        if (n + 1) % every == 0:
            (place / f"{rule.name}.yaml").write_text(journey_of(rule))
    return folder


def rate(rules: Path, made: list[Made]) -> tuple[float, int, int]:
    """Events a second of processor time; decisions, and those of them that are a journey's."""
    users = Users(rules, Settings(assume_delivered=True))
    lines = [line for _, _, line in made]
    began = time.process_time()
    users.play(lines)
    took = time.process_time() - began
    records = [r.record if isinstance(r, Candidate) else r for r in users.results]
    decided = [record.activity for record in records if isinstance(record, Record)]
    return len(lines) / took, len(decided), sum("." in activity for activity in decided)


def text(plain: float, with_journeys: float, decided: tuple[int, int], given: int) -> str:
    rows = [
        ["1,000 plain rules", f"{plain:,.0f}", "1.00"],
        [f"900 plain rules, {JOURNEYS} journeys", f"{with_journeys:,.0f}", f"{with_journeys / plain:.2f}"],
    ]
    said = f"{given:,} events; {decided[0]:,} decisions with journeys, {decided[1]:,} of them of messages and ends."
    return "\n".join([machine(), "", *grid(["rules", "events/s of one core", "of plain"], rows), "", said])


def main() -> None:
    given = arguments(__doc__, events=(300_000, 6_000), rounds=(3, 1))
    made = list(events(given.events, max(1, given.events // EVENTS_A_USER), max(1, HOUR // given.events)))
    rates: tuple[list[float], list[float]] = ([], [])
    decided = (0, 0)
    with tempfile.TemporaryDirectory() as folder:
        sides = [write(Path(folder) / str(number), number) for number in (0, JOURNEYS)]
        for _ in range(given.rounds):
            for found, rules in zip(rates, sides, strict=True):
                each, *decided_ = rate(rules, made)
                found.append(each)
                decided = (decided_[0], decided_[1])
    plain, with_journeys = map(statistics.median, rates)

    def results() -> Iterable[Result]:
        yield at_least("journeys: 100 among 1,000 rules, events/s of one core", with_journeys, plain, LEAST)

    report("journeys", given, text(plain, with_journeys, decided, given.events), results)


if __name__ == "__main__":
    main()
