"""How long after the moment at half of the load that the job can take: `python -m benchmarks.job.latency [--quick |
--write]`.

First the most that 100 rules take, from a backlog; then a live producer at half of it, stamping real times. Delay: a
delivery's entry into Kafka, by the broker's clock, minus what it had to wait for (its event's time, and the lateness).
The floor, at the same load, writes a record for as large a share of the events. Last, the producer falls silent, and
absences become due that only the heartbeats of a second tell.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer, TopicPartition

from benchmarks.kit.broker import PARTITIONS, backlog, kafka, producer_of, send
from benchmarks.kit.command import arguments, report
from benchmarks.kit.job_run import EVALUATE, JOB, JobRun, past
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result, below
from benchmarks.kit.workload import envelope, events, rules_of, write_rules, yaml_of
from kairos.apps.heartbeat import INTERVAL_SECONDS

RULES = 100
LATENESS = 2_000
TICK_SECONDS = 0.005
ABSENCES = 100
"""Opened a second, for as long as they are open: all are due in the silence after that."""
SILENT = """activity: silent
state: live
trigger: {{pattern: [{{event: opened}}, {{absent: closed}}], within: {within}s}}
"""
SEND = "send: [{channel: webhook, template: note}]\n"
FLOOR = "benchmarks.job.floor"
TOPIC = "past.latency"
MEDIAN, LONG = "median", "99 %"
GOALS = {MEDIAN: 300, LONG: 700}
"""In ms."""


class Size(NamedTuple):
    """Seconds under load: `warm` do not count, `seconds` do. `backlog`: events; 0: any load will do. `within`: seconds
    until an absence is due. `floor`: whether there is one."""

    backlog: int = 250_000
    warm: int = 10
    seconds: int = 20
    latenesses: tuple[int, ...] = (LATENESS, 0)
    within: int = 8
    users: int = 10_000
    floor: bool = True


QUICK = Size(0, 1, 3, (LATENESS,), 2, 200, False)


class Delays(NamedTuple):
    """In ms. `load`: events a second. `share`: records written for an event. `silent`: of absences, if any."""

    name: str
    load: float
    share: float
    loaded: list[int]
    silent: list[int]


class Bench:
    def __init__(self, size: Size, bootstrap: str, folder: Path) -> None:
        self._size = size
        self._bootstrap = bootstrap
        self._folder = folder
        texts = [yaml_of(rule) + ("" if rule.absent else SEND) for rule in rules_of(RULES - 1)]
        self._rules = write_rules(folder / "rules", [*texts, SILENT.format(within=size.within) + SEND])
        (folder / "rules" / "templates").mkdir()
        (folder / "rules" / "templates" / "note.webhook.liquid").write_text("note\n")

    def most(self) -> float:
        """Events a second from a backlog."""
        count = self._size.backlog
        if not count:
            return 4_000.0
        backlog(self._bootstrap, TOPIC, events(count, self._size.users))
        settings = past(self._bootstrap, TOPIC, self._folder, "most", self._rules)
        with JobRun(JOB, settings, self._folder / "jobs.out") as job:
            return job.steady(EVALUATE, count // 10, count * 9 // 10)

    def live(self, name: str, module: str, load: float, lateness: int, *options: str) -> Delays:
        case = name.replace(" ", "-").replace(",", "")
        answers, topic = f"{case}.deliveries.webhook", f"events.{case}"
        stamped = {"message.timestamp.type": "LogAppendTime"}  # the time of writing, not of the event
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        for made in admin.create_topics([NewTopic(topic, PARTITIONS), NewTopic(answers, 1, config=stamped)]).values():
            made.result()
        settings = past(self._bootstrap, topic, self._folder, case, self._rules) | {"time.lateness": f"{lateness}ms"}
        with JobRun(module, settings, self._folder / "jobs.out", *options) as job:
            sender = Sender(self._bootstrap, topic, self._size.users)
            sender.load(50, 1)
            job.until(EVALUATE, 1)
            sender.load(load, self._size.warm)
            began = now()
            sender.load(load, self._size.seconds)
            ended = now()
            silent_from = sender.absences(self._size.within) if module == JOB and lateness else ended
            time.sleep(self._size.within + 5 if silent_from > ended else 3)
        written = read(self._bootstrap, answers)
        loaded = [at - due - lateness for at, due, activity in written if began <= due < ended and activity != "silent"]
        silent = [at - due for at, due, activity in written if activity == "silent"]
        return Delays(name, load, len(loaded) / (load * self._size.seconds), loaded, silent)


class Sender:
    """The producer of live events."""

    def __init__(self, bootstrap: str, topic: str, users: int) -> None:
        self._producer: Producer = producer_of(bootstrap, **{"linger.ms": 2})
        self._topic = topic
        self._users = users
        self._chance = random.Random(7)
        self._number = 0

    def load(self, rate: float, seconds: float) -> None:
        """Events of users at random, evenly."""
        self._evenly(rate, seconds, "")

    def absences(self, seconds: float) -> int:
        """Opens them; when (epoch ms) silence began."""
        self._evenly(ABSENCES, seconds, "opened")
        return now()

    def _evenly(self, rate: float, seconds: float, kind: str) -> None:
        began, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(int(passed * rate) - sent):
                user, moment = f"u{self._chance.randrange(self._users)}", now()
                send(
                    self._producer, self._topic, user, moment, envelope(self._number, user, moment, self._chance, kind)
                )
                self._number += 1
                sent += 1
            self._producer.poll(0)
            time.sleep(TICK_SECONDS)
        self._producer.flush()


def now() -> int:
    return time.time_ns() // 1_000_000


def read(bootstrap: str, topic: str) -> list[tuple[int, int, str]]:
    """Of every record: when it was written, what it says it is of (both epoch ms), its activity."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        consumer.seek_to_beginning(place)
        found = []
        while consumer.position(place) < end:
            for records in consumer.poll(timeout_ms=200).values():
                values = [(entry.timestamp, msgspec.json.decode(entry.value)) for entry in records]
                found += [(written, value["at"], value["activity"]) for written, value in values]
        return found
    finally:
        consumer.close()


def run(size: Size, folder: Path) -> tuple[float, list[Delays], list[Delays]]:
    """The most in events a second; delays at half of it of the job, one for each lateness, and of the floor."""
    with kafka(folder, "heartbeat") as bootstrap:
        bench = Bench(size, bootstrap, folder)
        most = bench.most()
        load = most / 2
        jobs = [bench.live(f"the job, lateness {ms} ms", JOB, load, ms) for ms in size.latenesses]
        if not size.floor:
            return most, jobs, []
        options = ["--wait", "0", "--answers", "--timers", str(jobs[0].share)]
        return most, jobs, [bench.live(f"the floor, lateness {LATENESS} ms", FLOOR, load, LATENESS, *options)]


def told(what: str, delays: list[int]) -> float:
    return round(median(delays) if what == MEDIAN else quantiles(delays, n=100)[98])


def under_load(what: str, prompt: bool) -> str:
    """The measure's name. `prompt`: without lateness."""
    return f"delivery under half of the load{', lateness 0' if prompt else ''}, {what}, ms"


def results(job: Delays, prompt: Delays, floor: Delays) -> list[Result]:
    measured = []
    for what, goal in GOALS.items():
        ours = below(under_load(what, False), told(what, job.loaded), goal)
        peer = told(what, floor.loaded)
        measured.append(msgspec.structs.replace(ours, peer=peer, ratio=round(ours.ours / peer, 3)))
    measured += [below(under_load(what, True), told(what, prompt.loaded), goal) for what, goal in GOALS.items()]
    limit = LATENESS + INTERVAL_SECONDS * 1000 + 500
    return [*measured, below("an absence in silence after it is due, 99 %, ms", told(LONG, job.silent), limit)]


def table(most: float, jobs: list[Delays], floors: list[Delays]) -> str:
    job = jobs[0]
    head = (
        f"{job.load:,.0f} events/s, half of the {most:,.0f} that the job takes with {RULES} rules; "
        f"{machine('Kafka and the producer')}:"
    )
    rows = [
        (each.name, f"{len(each.loaded):,}", *(f"{told(what, each.loaded):,} ms" for what in GOALS))
        for each in [*jobs, *floors]
    ]
    silence = (
        f"In silence, {len(job.silent):,} absences came {told(MEDIAN, job.silent):,} ms (median) and "
        f"{told(LONG, job.silent):,} ms (99 %) after they were due; of that the lateness is {LATENESS:,} ms, and "
        f"the next heartbeat comes up to {INTERVAL_SECONDS * 1000:,.0f} ms later."
    )
    columns = ("from event time + lateness to Kafka", "records", *GOALS)
    return "\n".join([head, "", *grid(columns, rows), "", silence])


def main() -> None:
    given = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        most, jobs, floors = run(QUICK if given.quick else Size(), Path(name))
    report("job.latency", given, table(most, jobs, floors), lambda: results(*jobs, *floors))


if __name__ == "__main__":
    main()
