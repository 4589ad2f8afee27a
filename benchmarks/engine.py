"""The engine alone, one process, against the same rules written by hand in Bytewax and Quix Streams:
`python -m benchmarks.engine [--events N] [--rules 1,10] [--quick] [--write]`.

Every side reads the same events, parses them, keeps a state a user in memory and must find the same matches, by count
and by checksum. Rates are events a second of one core: processor time of the whole process over the last nine tenths
of the events. Bytewax gets lines from memory and so do we; Quix Streams reads nothing but Kafka, so beside it we read
the same topic with a plain consumer. See benchmarks/peers/handwritten.py for the two forms of the rules by hand.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.engine_input import TOPIC, lines_of, produce, rules_of, write_rules
from benchmarks.page import PAGE, note
from benchmarks.peers.environment import peers_python
from benchmarks.results import at_least, record
from jobs.progress import free_port
from kairos.apps.stack import Stack, StackSettings

KAIROS, FROM_KAFKA = "Kairos", "Kairos, from Kafka"
BYTEWAX, SAFE_BYTEWAX = "Bytewax, bare patterns", "Bytewax, repetitions and disorder put right too"
QUIX, QUIX_ROCKSDB = "Quix Streams, bare patterns, state in memory", "Quix Streams, bare patterns, state in RocksDB"
SAFE_QUIX = "Quix Streams, repetitions and disorder put right too"
AGAINST = {KAIROS: (BYTEWAX, SAFE_BYTEWAX), FROM_KAFKA: (QUIX, QUIX_ROCKSDB, SAFE_QUIX)}
"""Our side -> the peers that have the same input."""


class Said(msgspec.Struct, frozen=True):
    """What one side tells: `seconds` of the wall and `processor` for `events`; `results` and `digest` of the whole."""

    events: int
    seconds: float
    processor: float
    results: int
    digest: int

    @property
    def rate(self) -> float:
        return self.events / self.processor


Measured = dict[tuple[int, str], Said]
"""By number of rules, and side."""


class Bench:
    def __init__(self, folder: Path, count: int, rounds: int) -> None:
        self._folder, self._count, self._rounds = folder, count, rounds
        self._python = str(peers_python())
        self._lines = list(lines_of(count))
        self._events = folder / "events.jsonl"
        self._events.write_bytes(b"\n".join(self._lines))
        self.measured: Measured = {}

    def in_memory(self, rules: int) -> None:
        ours, given = self._rules(rules)
        events = str(self._events)
        bytewax = [self._python, "-m", "benchmarks.peers.with_bytewax", given, events]
        commands = {KAIROS: [*ours, "file", events], BYTEWAX: bytewax, SAFE_BYTEWAX: [*bytewax, "safe"]}
        self._measure(rules, commands)

    def from_kafka(self, rules: int, bootstrap: str, total: int) -> None:
        ours, given = self._rules(rules)
        numbers = [str(self._count), str(total)]
        quix = [self._python, "-m", "benchmarks.peers.with_quix", given, bootstrap, TOPIC, *numbers]
        commands = {
            FROM_KAFKA: [*ours, "kafka", bootstrap, *numbers],
            QUIX: [*quix, "memory"],
            QUIX_ROCKSDB: [*quix, "rocksdb"],
            SAFE_QUIX: [*quix, "memory", "safe"],
        }
        self._measure(rules, commands)

    def produce(self, bootstrap: str) -> int:
        return produce(bootstrap, self._lines)

    def _rules(self, count: int) -> tuple[list[str], str]:
        """Our command so far, and what the peers are given."""
        rules, folder = rules_of(count), self._folder / f"rules{count}"
        if not folder.exists():
            write_rules(folder, rules)
        return [sys.executable, "-m", "benchmarks.engine_run", str(folder)], msgspec.json.encode(rules).decode()

    def _measure(self, rules: int, commands: dict[str, list[str]]) -> None:
        """The sides in turn, several times; the run of the median rate counts."""
        said: dict[str, list[Said]] = {side: [] for side in commands}
        for _ in range(self._rounds):
            for side, command in commands.items():
                said[side].append(self._run(command))
        for side, runs in said.items():
            found = sorted(runs, key=lambda run: run.rate)[len(runs) // 2]
            self.measured[rules, side] = found
            print(f"{rules:>3} rules  {side:<52} {found.rate:>9,.0f} events/s, {found.results:,} matches", flush=True)
        self._agree(rules)

    def _run(self, command: list[str]) -> Said:
        done = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[1])
        if done.returncode:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.decode()}")
        return msgspec.json.decode(done.stdout, type=Said)

    def _agree(self, rules: int) -> None:
        """A rate counts for nothing where the matches are not the same."""
        found = {(said.results, said.digest) for (count, _), said in self.measured.items() if count == rules}
        if len(found) != 1:
            sys.exit(f"{rules} rules: the sides do not find the same matches: {sorted(found)}")


def run(folder: Path, count: int, rules: list[int], rounds: int) -> Measured:
    bench = Bench(folder, count, rounds)
    for number in rules:
        bench.in_memory(number)
    ports = {key: free_port() for key in ("kafka_port", "kafka_controller_port", "redis_port", "mariadb_port")}
    stack = Stack(StackSettings(folder=folder / "stack", **ports))
    stack.up(["kafka"])
    try:
        total = bench.produce(stack.settings.kafka)
        for number in rules:
            bench.from_kafka(number, stack.settings.kafka, total)
    finally:
        stack.down()
    return bench.measured


def table(count: int, measured: Measured) -> str:
    rows = [
        f"{count:,} events; Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} when it ended:",
        "",
        "| rules | | events/s | events/s of one core | Kairos is faster by | matches |",
        "|---|---|---|---|---|---|",
    ]
    for rules in dict.fromkeys(rules for rules, _ in measured):
        for ours, peers in AGAINST.items():
            for side in (ours, *peers):
                said = measured[rules, side]
                ratio, wall = measured[rules, ours].rate / said.rate, said.events / said.seconds
                rows.append(f"| {rules} | {side} | {wall:,.0f} | {said.rate:,.0f} | {ratio:.2f} | {said.results:,} |")
    return "\n".join(rows)


def keep(measured: Measured) -> None:
    """One result for each peer and number of rules: ahead of it, or not."""
    record(
        at_least(
            f"engine alone, rules: {rules}; events/s of one core; {peer}", mine.rate, measured[rules, peer].rate, 1
        )
        for (rules, ours), mine in measured.items()
        for peer in AGAINST.get(ours, ())
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rules", default="1,10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few events, once: only to see that it works")
    parser.add_argument("--write", action="store_true", help="put the result into docs/performance.md")
    given = parser.parse_args()
    count, rounds = (5_000, 1) if given.quick else (given.events, given.rounds)
    with tempfile.TemporaryDirectory() as name:
        measured = run(Path(name), count, [int(rules) for rules in given.rules.split(",")], rounds)
    text = table(count, measured)
    print(text)
    if given.write:
        keep(measured)
        PAGE.write_text(note(PAGE.read_text(), "benchmarks.engine", text))


if __name__ == "__main__":
    main()
