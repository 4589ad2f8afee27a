"""The job with the state of a million users on RocksDB, against the same with ten thousand; how long its checkpoints
take, and a start from one: `python -m benchmarks.job.state [--quick | --write]`.

100 rules, one slot, a heap of 2 GB, the past from Kafka. First every user has an event; the rate counts only after
that, of events of users at random, checkpoints included. Then the job is killed and started from the newest one. Ten
thousand users have more events each, and so more to remember of each.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.kit.broker import kafka, produce
from benchmarks.kit.command import arguments, report
from benchmarks.kit.job_run import EVALUATE, JOB, PATIENCE_SECONDS, JobRun, past
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_least, below
from benchmarks.kit.workload import START, STEP_MS, Made, envelope, rules_of, write_rules, yaml_of

RULES = 100
MANAGED = "512m"
"""What RocksDB may use beside the heap: about what a TaskManager of conf/flink/config.yaml gives it, and four times
what the mini-cluster does."""


class Size(NamedTuple):
    """Numbers of users, and of events after each user's first: those before the rate counts, so that the JVM has
    compiled what is hot with few users as with many; and those that count. `interval`: of checkpoints."""

    many: int = 1_000_000
    few: int = 10_000
    warm: int = 100_000
    counted: int = 300_000
    interval: str = "10s"


QUICK = Size(20_000, 20_000, 2_000, 10_000, "1s")
SPARE = 20_000
"""Events that stay behind those that count, and come on top of a checkpoint: a start from it has something to read."""


class Checkpoint(NamedTuple):
    """`seconds`: from its trigger to its end. `size` in bytes."""

    seconds: float
    size: int


class Measured(NamedTuple):
    """Of one number of users. `rate`: events a second. `start_up`: seconds to the first event that was handled."""

    users: int
    rate: float
    start_up: float
    checkpoints: list[Checkpoint]


def every_user_first(users: int, more: int) -> Iterator[Made]:
    """An event of each user, in no order, then so many more of users at random."""
    order = list(range(users))
    random.Random(7).shuffle(order)
    yield from _events(0, [f"u{number}" for number in order])
    yield from at_random(users, users, more)


def at_random(users: int, first: int, count: int) -> Iterator[Made]:
    """`first`: the number of the first event."""
    chance = random.Random(first)
    yield from _events(first, (f"u{chance.randrange(users)}" for _ in range(count)))


def _events(first: int, users: Iterable[str]) -> Iterator[Made]:
    chance = random.Random(first)
    for number, user in enumerate(users, first):
        moment = START + number * STEP_MS
        yield user, moment, envelope(number, user, moment, chance)


class Bench:
    def __init__(self, size: Size, bootstrap: str, folder: Path) -> None:
        self._size = size
        self._bootstrap = bootstrap
        self._folder = folder
        self._rules = write_rules(folder / "rules", map(yaml_of, rules_of(RULES)))

    def measure(self, users: int) -> Measured:
        """Leaves the job's checkpoints."""
        begin, end = users + self._size.warm, users + self._size.warm + self._size.counted
        produce(self._bootstrap, topic_of(users), every_user_first(users, end + SPARE - users))
        with self._job(users) as job:
            start_up = job.until(EVALUATE, 1) - job.started
            rate = job.steady(EVALUATE, begin, end)
            found = checkpoints(job)
        return Measured(users, rate, start_up, found)

    def recover(self, users: int) -> float:
        """Seconds from the start to the first event that was handled on top of the newest checkpoint."""
        produced = users + self._size.warm + self._size.counted + SPARE
        produce(self._bootstrap, topic_of(users), at_random(users, produced, SPARE))
        with self._job(users, "--from", "latest") as job:
            recovered = job.until(EVALUATE, 1) - job.started
            if job.ask(f"{job.job()}/checkpoints")["latest"]["restored"] is None:
                raise RuntimeError("the job has started without the checkpoint")
        return recovered

    def _job(self, users: int, *options: str) -> JobRun:
        settings = past(self._bootstrap, topic_of(users), self._folder, f"of{users}", self._rules) | {
            "state.backend": "rocksdb",
            "state.interval": self._size.interval,
            "flink.taskmanager.memory.managed.size": MANAGED,
        }
        return JobRun(JOB, settings, self._folder / "jobs.out", *options)


def topic_of(users: int) -> str:
    return f"past.of{users}"


def checkpoints(job: JobRun) -> list[Checkpoint]:
    """Those that Flink remembers (the last ten); waits for one, and for one under way: the slowest would be left out.
    Raises RuntimeError where one has failed, or none comes."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while True:
        history = job.ask(f"{job.job()}/checkpoints")["history"]
        if any(entry["status"] == "FAILED" for entry in history):
            raise RuntimeError("a checkpoint has failed")
        if history and all(entry["status"] == "COMPLETED" for entry in history):
            return [Checkpoint(entry["end_to_end_duration"] / 1000, entry["state_size"]) for entry in history]
        if time.monotonic() > limit:
            raise RuntimeError(f"no checkpoint within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.2)


def run(size: Size, folder: Path) -> tuple[Measured, Measured, float]:
    """With many users, with few, and the seconds of a start from the checkpoint of many."""
    with kafka(folder) as bootstrap:
        bench = Bench(size, bootstrap, folder)
        measured = {users: bench.measure(users) for users in dict.fromkeys((size.few, size.many))}
        return measured[size.many], measured[size.few], bench.recover(size.many)


def results(many: Measured, few: Measured, recovery: float) -> list[Result]:
    return [
        at_least("job, 1 M users on RocksDB against 10 k users, events/s", many.rate, few.rate, 0.5),
        below("checkpoint of 1 M users, s", longest(many), 10),
        below("recovery from a checkpoint of 1 M users, start-up included, s", recovery, 30),
    ]


def longest(measured: Measured) -> float:
    return max(checkpoint.seconds for checkpoint in measured.checkpoints)


def table(many: Measured, few: Measured, recovery: float) -> str:
    rows = []
    for of in (few, many):
        size = max(checkpoint.size for checkpoint in of.checkpoints) / 1e6
        times = f"{longest(of):.1f} s of {len(of.checkpoints)}"
        rows.append((f"{of.users:,}", f"{of.rate:,.0f}", times, f"{size:,.0f} MB", f"{of.start_up:.1f} s"))
    last = (
        f"{many.rate / few.rate:.2f} of the rate with {few.users:,} users. From the checkpoint of {many.users:,} it "
        f"takes {recovery:.1f} s to the first event, {recovery - many.start_up:.1f} s more than without one."
    )
    head = f"{RULES} rules on RocksDB, which has {MANAGED} beside the heap; {machine('Kafka')}:"
    columns = ("users", "events/s", "checkpoint: longest", "size", "start to the first event")
    return "\n".join([head, "", *grid(columns, rows), "", last])


def main() -> None:
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        measured = run(QUICK if given.quick else Size(), Path(name))
    report("job.state", given, table(*measured), lambda: results(*measured))


if __name__ == "__main__":
    main()
