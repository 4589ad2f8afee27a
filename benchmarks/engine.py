"""The engine alone, one process, against the same rules written by hand in Bytewax and Quix Streams:
`python -m benchmarks.engine [--events N] [--rounds N] [--quick | --write]`.

Every side reads the same events, parses them, keeps a state a user in memory and must find the same matches, by count
and by checksum. Rates are events a second of one core: processor time of the whole process over the last nine tenths
of the events. Bytewax gets lines from memory and so do we; Quix Streams reads nothing but Kafka, so beside it we read
the same topic with a plain consumer. See benchmarks/peers/handwritten.py for the two forms of the rules by hand.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.kit.broker import kafka, produce
from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_least
from benchmarks.kit.sides import Said, agree, medians
from benchmarks.kit.workload import HOUR, START, Made, events, rules_of, write_rules, yaml_of
from benchmarks.peers.environment import peers_python

KAIROS, FROM_KAFKA = "Kairos", "Kairos, from Kafka"
BYTEWAX, SAFE_BYTEWAX = "Bytewax, bare patterns", "Bytewax, repetitions and disorder put right too"
QUIX, QUIX_ROCKSDB = "Quix Streams, bare patterns, state in memory", "Quix Streams, bare patterns, state in RocksDB"
SAFE_QUIX = "Quix Streams, repetitions and disorder put right too"
AGAINST = {KAIROS: (BYTEWAX, SAFE_BYTEWAX), FROM_KAFKA: (QUIX, QUIX_ROCKSDB, SAFE_QUIX)}
"""Our side -> the peers that have the same input."""
RULES, QUICK_RULES = (1, 10), (10,)
EVENTS_A_USER = 12
TOPIC = "past.engine"

Measured = dict[tuple[int, str], Said]
"""By number of rules, and side."""


def made(count: int) -> list[Made]:
    """An hour of events in order, twelve of each user."""
    return list(events(count, max(1, count // EVENTS_A_USER), HOUR // count))


def endings(of: list[Made]) -> list[Made]:
    """One event of each user from an hour later, which no rule reads, but which shows those who have no timers what is
    due."""
    at = START + 2 * HOUR
    event = {"type": "end", "time": at, "source": "shop", "props": {"amount": 0}}
    users = sorted({user for user, _, _ in of})
    return [(user, at, msgspec.json.encode({**event, "id": f"end-{user}", "user_id": user})) for user in users]


class Bench:
    def __init__(self, folder: Path, count: int, rounds: int) -> None:
        self._folder, self._count, self._rounds = folder, count, rounds
        self._python = str(peers_python())
        self._made = made(count)
        self._events = folder / "events.jsonl"
        self._events.write_bytes(b"\n".join(line for _, _, line in self._made))
        self.measured: Measured = {}

    def in_memory(self, rules: int) -> None:
        ours, given = self._rules(rules)
        lines = str(self._events)
        bytewax = [self._python, "-m", "benchmarks.peers.with_bytewax", given, lines]
        self._measure(rules, {KAIROS: [*ours, "file", lines], BYTEWAX: bytewax, SAFE_BYTEWAX: [*bytewax, "safe"]})

    def from_kafka(self, rules: int, bootstrap: str, total: int) -> None:
        ours, given = self._rules(rules)
        where = [bootstrap, TOPIC, str(self._count), str(total)]
        quix = [self._python, "-m", "benchmarks.peers.with_quix", given, *where]
        commands = {
            FROM_KAFKA: [*ours, "kafka", *where],
            QUIX: [*quix, "memory"],
            QUIX_ROCKSDB: [*quix, "rocksdb"],
            SAFE_QUIX: [*quix, "memory", "safe"],
        }
        self._measure(rules, commands)

    def produce(self, bootstrap: str) -> int:
        """One partition, so that all is in order. How many there are, with those at the end."""
        whole = [*self._made, *endings(self._made)]
        produce(bootstrap, TOPIC, whole, partitions=1)
        return len(whole)

    def _rules(self, count: int) -> tuple[list[str], str]:
        """Our command so far, and what the peers are given."""
        rules = rules_of(count)
        folder = write_rules(self._folder / f"rules{count}", map(yaml_of, rules))
        return [sys.executable, "-m", "benchmarks.engine_run", str(folder)], msgspec.json.encode(rules).decode()

    def _measure(self, rules: int, commands: dict[str, list[str]]) -> None:
        for side, said in medians(commands, self._rounds).items():
            self.measured[rules, side] = said
            print(f"{rules:>3} rules  {side:<52} {said.rate:>9,.0f} events/s, {said.results:,} matches", flush=True)
        agree(said for (count, _), said in self.measured.items() if count == rules)


def run(folder: Path, count: int, rounds: int, rules: tuple[int, ...]) -> Measured:
    bench = Bench(folder, count, rounds)
    for number in rules:
        bench.in_memory(number)
    with kafka(folder) as bootstrap:
        total = bench.produce(bootstrap)
        for number in rules:
            bench.from_kafka(number, bootstrap, total)
    return bench.measured


def table(count: int, measured: Measured) -> str:
    rows = [
        _row(measured, rules, ours, side)
        for rules in dict.fromkeys(rules for rules, _ in measured)
        for ours, peers in AGAINST.items()
        for side in (ours, *peers)
    ]
    head = ("rules", "", "events/s", "events/s of one core", "Kairos is faster by", "matches")
    return "\n".join([f"{count:,} events; {machine()}:", "", *grid(head, rows)])


def _row(measured: Measured, rules: int, ours: str, side: str) -> tuple[object, ...]:
    said = measured[rules, side]
    ratio, wall = measured[rules, ours].rate / said.rate, said.done / said.seconds
    return rules, side, f"{wall:,.0f}", f"{said.rate:,.0f}", f"{ratio:.2f}", f"{said.results:,}"


def results(measured: Measured) -> Iterator[Result]:
    """One for each peer and number of rules: ahead of it, or not."""
    for (rules, ours), mine in measured.items():
        for peer in AGAINST.get(ours, ()):
            measure = f"engine alone, rules: {rules}; events/s of one core; {peer}"
            yield at_least(measure, mine.rate, measured[rules, peer].rate, 1)


def main() -> None:
    given = arguments(__doc__, events=(200_000, 5_000), rounds=(3, 1))
    with tempfile.TemporaryDirectory() as name:
        measured = run(Path(name), given.events, given.rounds, QUICK_RULES if given.quick else RULES)
    report("engine", given, table(given.events, measured), lambda: results(measured))


if __name__ == "__main__":
    main()
