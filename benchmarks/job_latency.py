"""How long after the moment at half of the load that the job can take: `python -m benchmarks.job_latency [--quick |
--write]`.

First the most that 100 rules take, from a backlog; then a live producer at half of it, stamping real times. Delay: a
delivery's entry into Kafka, by the broker's clock, minus what it had to wait for (its event's time, and the lateness).
The floor, at the same load, writes a record for as large a share of the events. Last, the producer falls silent, and
absences become due that only the heartbeats of a second tell.
"""

from __future__ import annotations

import os
import platform
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

from benchmarks.job_run import (
    EVALUATE,
    PARTITIONS,
    JobRun,
    arguments,
    envelope,
    events,
    kafka,
    past,
    patterns,
    produce,
    producer_of,
    send,
    write_rules,
)
from benchmarks.page import PAGE, note
from benchmarks.results import Result, below, record
from kairos.apps.heartbeat import INTERVAL_SECONDS

RULES = 100
USERS = 10_000
LATENESS = 2_000
TICK_SECONDS = 0.005
WITHIN_SECONDS = 8
ABSENCES = 100
"""Opened a second, for `WITHIN_SECONDS`: all are due in the silence after that."""
SILENT = f"""activity: silent
state: live
trigger: {{pattern: [{{event: opened}}, {{absent: closed}}], within: {WITHIN_SECONDS}s}}
"""
SEND = "send: [{channel: webhook, template: note}]\n"
FLOOR, JOB = "benchmarks.job_floor", "jobs.marketing"


class Size(NamedTuple):
    """Seconds under load: `warm` do not count, `seconds` do. `backlog`: events; 0: any load will do."""

    backlog: int = 250_000
    warm: int = 10
    seconds: int = 20
    latenesses: tuple[int, ...] = (LATENESS, 0)


QUICK = Size(0, 2, 3, (LATENESS,))


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
        texts = [pattern.yaml() + ("" if pattern.absent else SEND) for pattern in patterns(RULES - 1)]
        self._rules = write_rules(folder / "rules", [*texts, SILENT + SEND])
        (folder / "rules" / "templates").mkdir()
        (folder / "rules" / "templates" / "note.webhook.liquid").write_text("note\n")

    def most(self) -> float:
        """Events a second from a backlog."""
        count = self._size.backlog
        if not count:
            return 4_000.0
        produce(self._bootstrap, events(count, USERS))
        with JobRun(JOB, past(self._bootstrap, self._folder, "most", self._rules), self._folder / "jobs.out") as job:
            return job.steady(EVALUATE, count // 10, count * 9 // 10)

    def live(self, name: str, module: str, load: float, lateness: int, *options: str) -> Delays:
        case = name.replace(" ", "-").replace(",", "")
        answers, topic = f"{case}.deliveries.webhook", f"events.{case}"
        stamped = {"message.timestamp.type": "LogAppendTime"}  # the time of writing, not of the event
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        for made in admin.create_topics([NewTopic(topic, PARTITIONS), NewTopic(answers, 1, config=stamped)]).values():
            made.result()
        settings = past(self._bootstrap, self._folder, case, self._rules)
        settings |= {"kafka.events": topic.replace(".", "\\."), "time.lateness": f"{lateness}ms"}
        with JobRun(module, settings, self._folder / "jobs.out", *options) as job:
            sender = Sender(self._bootstrap, topic)
            sender.load(50, 1)
            job.until(EVALUATE, 1)
            sender.load(load, self._size.warm)
            began = now()
            sender.load(load, self._size.seconds)
            ended = now()
            silent_from = sender.absences() if module == JOB and lateness else ended
            time.sleep(WITHIN_SECONDS + 5 if silent_from > ended else 3)
        written = read(self._bootstrap, answers)
        loaded = [at - due - lateness for at, due, activity in written if began <= due < ended and activity != "silent"]
        silent = [at - due for at, due, activity in written if activity == "silent"]
        return Delays(name, load, len(loaded) / (load * self._size.seconds), loaded, silent)


class Sender:
    """The producer of live events."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._producer: Producer = producer_of(bootstrap, **{"linger.ms": 2})
        self._topic = topic
        self._chance = random.Random(7)
        self._number = 0

    def load(self, rate: float, seconds: float) -> None:
        """Events of users at random, evenly."""
        self._evenly(rate, seconds, "")

    def absences(self) -> int:
        """Opens them; when (epoch ms) silence began."""
        self._evenly(ABSENCES, WITHIN_SECONDS, "opened")
        return now()

    def _evenly(self, rate: float, seconds: float, kind: str) -> None:
        began, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(int(passed * rate) - sent):
                user, moment = f"u{self._chance.randrange(USERS)}", now()
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


def run(size: Size, folder: Path) -> tuple[float, Delays, list[Delays]]:
    """The most in events a second; the floor's delays at half of it, and the job's, one for each lateness."""
    with kafka(folder, "heartbeat") as bootstrap:
        bench = Bench(size, bootstrap, folder)
        most = bench.most()
        load = most / 2
        jobs = [bench.live(f"the job, lateness {ms} ms", JOB, load, ms) for ms in size.latenesses]
        options = ["--wait", "0", "--answers", "--timers", str(jobs[0].share)]
        return most, bench.live(f"the floor, lateness {LATENESS} ms", FLOOR, load, LATENESS, *options), jobs


def percentile(delays: list[int]) -> float:
    """The 99th."""
    return quantiles(delays, n=100)[98]


def results(floor: Delays, job: Delays, prompt: Delays) -> list[Result]:
    measured = [
        below("delivery under half of the load, median, ms", median(job.loaded), 300),
        below("delivery under half of the load, 99 %, ms", percentile(job.loaded), 700),
        below("delivery under half of the load, lateness 0, median, ms", median(prompt.loaded), 300),
        below("delivery under half of the load, lateness 0, 99 %, ms", percentile(prompt.loaded), 700),
    ]
    for index, of_floor in ((0, median(floor.loaded)), (1, percentile(floor.loaded))):
        ours = measured[index]
        ratio = round(ours.ours / of_floor, 3)
        measured[index] = msgspec.structs.replace(ours, peer=of_floor, ratio=ratio)
    limit = LATENESS + INTERVAL_SECONDS * 1000 + 500
    return [*measured, below("an absence in silence after it is due, 99 %, ms", percentile(job.silent), limit)]


def table(most: float, floor: Delays, jobs: list[Delays]) -> str:
    job = jobs[0]
    rows = [
        f"{job.load:,.0f} events/s, half of the {most:,.0f} that the job takes with {RULES} rules; Python "
        f"{platform.python_version()}, {os.cpu_count()} cores with Kafka and the producer on them, load "
        f"{os.getloadavg()[0]:.1f} when it ended:",
        "",
        "| from event time + lateness to Kafka | records | median | 99 % |",
        "|---|---|---|---|",
    ]
    for each in [*jobs, floor]:
        told = f"{median(each.loaded):,.0f} ms | {percentile(each.loaded):,.0f} ms"
        rows.append(f"| {each.name} | {len(each.loaded):,} | {told} |")
    rows += [
        "",
        f"In silence, {len(job.silent):,} absences came {median(job.silent):,.0f} ms (median) and "
        f"{percentile(job.silent):,.0f} ms (99 %) after they were due; of that the lateness is {LATENESS:,} ms, and "
        f"the next heartbeat comes up to {INTERVAL_SECONDS * 1000:,.0f} ms later.",
    ]
    return "\n".join(rows)


def main() -> None:
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as name:
        most, floor, jobs = run(QUICK if options.quick else Size(), Path(name))
    text = table(most, floor, jobs)
    print(text)
    if options.write:
        record(results(floor, *jobs))
        PAGE.write_text(note(PAGE.read_text(), "benchmarks.job_latency", text))


if __name__ == "__main__":
    main()
