"""The job with the state of a million users on RocksDB, against the same with ten thousand; how long its checkpoints
take, and a start from one: `python -m benchmarks.job_state [--quick | --write]`.

100 rules, one slot, a heap of 2 GB, the past from Kafka. First every user has an event; the rate counts only after
that, of events of users at random, checkpoints included. Then the job is killed and started from the newest one.
"""

from __future__ import annotations

import os
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.job_run import (
    EVALUATE,
    START,
    STEP_MS,
    JobRun,
    arguments,
    envelope,
    kafka,
    past,
    patterns,
    produce,
    write_rules,
)
from benchmarks.page import PAGE, note
from benchmarks.results import Result, at_least, below, record

RULES = 100
MODULE = "jobs.marketing"
MANAGED = "512m"
"""What RocksDB may use beside the heap: about what a TaskManager of conf/flink/config.yaml gives it, and four times
what the mini-cluster does."""
BACKEND = {
    "state.backend": "rocksdb",
    "state.interval": "10s",
    "flink.taskmanager.memory.managed.size": MANAGED,
}


class Size(NamedTuple):
    many: int = 1_000_000
    few: int = 10_000
    events: int = 300_000
    """After each user's first."""


QUICK = Size(20_000, 1_000, 20_000)


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


def every_user_first(users: int, more: int) -> Iterator[tuple[str, int, bytes]]:
    """An event of each user, in no order, then so many more of users at random."""
    chance = random.Random(7)
    order = list(range(users))
    chance.shuffle(order)
    for number in range(users + more):
        user = f"u{order[number] if number < users else chance.randrange(users)}"
        moment = START + number * STEP_MS
        yield user, moment, envelope(number, user, moment, chance)


class Bench:
    def __init__(self, size: Size, bootstrap: str, folder: Path) -> None:
        self._more = size.events
        self._bootstrap = bootstrap
        self._folder = folder
        self._rules = write_rules(folder / "rules", [pattern.yaml() for pattern in patterns(RULES)])

    def measure(self, users: int) -> Measured:
        """Leaves the job's checkpoints."""
        produce(self._bootstrap, every_user_first(users, self._more), f"past.of{users}")
        with self._job(users) as job:
            start_up = job.until(EVALUATE, 1) - job.started
            rate = job.steady(EVALUATE, users + self._more // 10, users + self._more * 9 // 10)
            found = checkpoints(job)
        return Measured(users, rate, start_up, found)

    def recover(self, users: int) -> float:
        """Seconds from the start to the first event that was handled on top of the newest checkpoint."""
        with self._job(users, "--from", "latest") as job:
            return job.until(EVALUATE, 1) - job.started

    def _job(self, users: int, *options: str) -> JobRun:
        settings = past(self._bootstrap, self._folder, f"of{users}", self._rules) | BACKEND
        settings["kafka.events"] = f"past\\.of{users}"
        return JobRun(MODULE, settings, self._folder / "jobs.out", *options)


def checkpoints(job: JobRun) -> list[Checkpoint]:
    """Those that Flink remembers (the last ten) and that are complete; waits for one."""
    limit = time.monotonic() + 60
    while True:
        history = job.ask(f"{job.job()}/checkpoints")["history"]
        done = [entry for entry in history if entry["status"] == "COMPLETED" and not entry["is_savepoint"]]
        if done or time.monotonic() > limit:
            return [Checkpoint(entry["end_to_end_duration"] / 1000, entry["state_size"]) for entry in done]
        time.sleep(0.5)


def run(size: Size, folder: Path) -> tuple[Measured, Measured, float]:
    """With many users, with few, and the seconds of a start from the checkpoint of many."""
    with kafka(folder) as bootstrap:
        bench = Bench(size, bootstrap, folder)
        few = bench.measure(size.few)
        many = bench.measure(size.many)
        return many, few, bench.recover(size.many)


def results(many: Measured, few: Measured, recovery: float) -> list[Result]:
    return [
        at_least("job, 1 M users on RocksDB against 10 k users, events/s", many.rate, few.rate, 0.5),
        below("checkpoint of 1 M users, s", longest(many), 10),
        below("recovery from a checkpoint of 1 M users, start-up apart, s", recovery - many.start_up, 30),
    ]


def longest(measured: Measured) -> float:
    return max(checkpoint.seconds for checkpoint in measured.checkpoints)


def table(many: Measured, few: Measured, recovery: float) -> str:
    rows = [
        f"{RULES} rules on RocksDB, which has {MANAGED} beside the heap; Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} when it ended:",
        "",
        "| users | events/s | checkpoint: longest | size | start to the first event |",
        "|---|---|---|---|---|",
    ]
    for users, rate, start_up, done in (few, many):
        size = max(checkpoint.size for checkpoint in done) / 1e6
        seconds = max(checkpoint.seconds for checkpoint in done)
        rows.append(f"| {users:,} | {rate:,.0f} | {seconds:.1f} s | {size:,.0f} MB | {start_up:.1f} s |")
    rows += [
        "",
        f"{many.rate / few.rate:.2f} of the rate with {few.users:,} users. From the checkpoint of {many.users:,} it "
        f"takes {recovery:.1f} s to the first event, {recovery - many.start_up:.1f} s more than without one.",
    ]
    return "\n".join(rows)


def main() -> None:
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        measured = run(QUICK if options.quick else Size(), Path(name))
    text = table(*measured)
    print(text)
    if options.write:
        record(results(*measured))
        PAGE.write_text(note(PAGE.read_text(), "benchmarks.job_state", text))


if __name__ == "__main__":
    main()
