"""The project's own rules on its own clickstream, by many users: the job against its floor, and the engine alone
against the 100 rules that the other benchmarks have: `python -m benchmarks.job.real_rules [--copies N]
[--quick | --write]`.

Each copy of the clickstream is of other users, half an hour behind the one before; their profiles come from a file.
The floor and the steady part of a run are those of benchmarks.job.throughput. The engine alone is processor time of an
event, its decoding counted.
"""

from __future__ import annotations

import heapq
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.engine_run import Users
from benchmarks.job.throughput import FLOOR
from benchmarks.job.timers import timers_an_event
from benchmarks.kit.broker import backlog, kafka
from benchmarks.kit.command import arguments, report
from benchmarks.kit.job_run import EVALUATE, JOB, JobRun, past
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, at_least, at_most
from benchmarks.kit.workload import MINUTE, Made, rules_of, write_rules, yaml_of
from benchmarks.kit.workload import events as plain_events
from kairos.apps.native.settings import data_folder
from kairos.usecases.operation.dataset import clickstream

RULES = Path("rules")
TOPIC = "past.clickstream"
APART_MS = 30 * MINUTE
USERS = 1_000
"""More than the clickstream has: the numbers of the users of one copy."""
PLAIN_RULES = 100
GOAL_FLOOR, GOAL_ENGINE = 0.3, 2.33


def user_of(user: str, copy: int) -> str:
    """`user_0539` of the third copy is `u2539`."""
    return f"u{int(user.rpartition('_')[2]) + USERS * copy}"


def many(dataset: clickstream.Dataset, copies: int) -> Iterator[Made]:
    """In the order of event time."""
    known = [msgspec.json.decode(line) for line in dataset.events.read_bytes().splitlines()]
    known.sort(key=lambda event: event["time"])
    return heapq.merge(*(_copy(known, copy) for copy in range(copies)), key=lambda made: made[1])


def _copy(known: list[dict[str, Any]], copy: int) -> Iterator[Made]:
    for event in known:
        user, moment = user_of(event["user_id"], copy), event["time"] + copy * APART_MS
        other = {"id": f"{event['id']}-{copy}", "user_id": user, "time": moment}
        yield user, moment, msgspec.json.encode(event | other)


def profiles_of(dataset: clickstream.Dataset, copies: int) -> dict[str, Mapping[str, Any]]:
    known = msgspec.json.decode(dataset.profiles.read_bytes(), type=dict[str, dict[str, Any]])
    return {user_of(user, copy): fields for copy in range(copies) for user, fields in known.items()}


def alone(users: Users, made: Iterator[Made]) -> float:
    """Microseconds of the processor for an event, of the last nine tenths."""
    lines = [line for _, _, line in made]
    begin = len(lines) // 10
    users.play(lines[:begin])
    began = time.process_time()
    users.play(lines[begin:])
    return (time.process_time() - began) / (len(lines) - begin) * 1e6


class Measured(msgspec.Struct):
    """Events a second of the job and its floor; microseconds an event of the engine alone. `timers`: an event."""

    events: int
    users: int
    timers: float
    job: float
    floor: float
    own: float
    plain: float


def run(folder: Path, copies: int) -> Measured:
    dataset = clickstream.prepare(data_folder() / "data")
    profiles = profiles_of(dataset, copies)
    own = alone(Users(RULES, profiles=lambda user, _: profiles.get(user)), many(dataset, copies))
    count = dataset.event_count * copies
    rules = write_rules(folder / "plain", map(yaml_of, rules_of(PLAIN_RULES)))
    plain = alone(Users(rules), plain_events(count, max(1, count // 50)))
    told = folder / "profiles.json"
    told.write_bytes(msgspec.json.encode(profiles))
    timers = timers_an_event(RULES, many(dataset, copies))
    with kafka(folder) as bootstrap:
        backlog(bootstrap, TOPIC, many(dataset, copies))
        floor = _rate(FLOOR, bootstrap, folder, count, {}, "--timers", str(timers))
        job = _rate(JOB, bootstrap, folder, count, {"profiles.file": told})
    return Measured(count, dataset.user_count * copies, timers, job, floor, own, plain)


def _rate(module: str, bootstrap: str, folder: Path, count: int, more: Mapping[str, object], *options: str) -> float:
    name = module.rpartition(".")[2]
    settings = {**past(bootstrap, TOPIC, folder, name, RULES), **more}
    with JobRun(module, settings, folder / "jobs.out", *options) as job:
        rate = job.steady(EVALUATE, count // 4, count * 9 // 10)
    print(f"{name:>10}: {rate:>10,.0f} events/s", flush=True)
    return rate


def table(measured: Measured) -> str:
    rows = [
        ("the job, of its floor", f"{measured.job:,.0f} events/s", f"{measured.floor:,.0f} events/s",
         f"{measured.job / measured.floor:.2f}"),
        (f"the engine alone, of {PLAIN_RULES} plain rules", f"{measured.own:.1f} µs an event",
         f"{measured.plain:.1f} µs an event", f"{measured.own / measured.plain:.2f}"),
    ]  # fmt: skip
    activities = sum(not file.name.endswith(".test.yaml") for file in RULES.glob("activities/*/*.yaml"))
    head = (
        f"{measured.events:,} events of {measured.users:,} users, {activities} activities; the floor with "
        f"{measured.timers:.2f} timers an event; {machine('Kafka')}:"
    )
    return "\n".join([head, "", *grid(("", "rules/", "beside it", "ratio"), rows)])


def results(measured: Measured) -> Iterator[Result]:
    yield at_least(
        "job, rules/ on the clickstream against its floor, events/s", measured.job, measured.floor, GOAL_FLOOR
    )
    ratio = measured.own / measured.plain
    yield at_most("engine alone, rules/ on the clickstream: times an event under 100 plain rules", ratio, GOAL_ENGINE)


def main() -> None:
    given = arguments(__doc__, copies=(10, 1))
    with tempfile.TemporaryDirectory() as name:
        measured = run(Path(name), given.copies)
    report("job.real_rules", given, table(measured), lambda: results(measured))


if __name__ == "__main__":
    main()
