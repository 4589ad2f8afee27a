"""What the benchmarks of the job share: events, the same patterns as rules and as data, Kafka, and a job as a process.

Counts come from Flink's REST interface, so that the job and its peers are measured alike.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from confluent_kafka import Producer

from jobs.progress import free_port
from kairos.adapters.kafka_topics import create_topics
from kairos.apps.stack import Stack, StackSettings

START = 1_763_778_000_000
STEP_MS = 6
PARTITIONS = 2
TOPIC = "past.shop"
HOUR = 3_600_000
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 120.0
TYPES = 333
"""So many that 1,000 rules, three for each type, find one for themselves."""


class Pattern(msgspec.Struct, frozen=True):
    """An event of `first` with an amount of at least `least`, then within ten minutes one of `second`, or none."""

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    least: int
    absent: bool

    def yaml(self) -> str:
        last = "absent" if self.absent else "event"
        first, second = (f"[{', '.join(types)}]" for types in (self.first, self.second))
        steps = f"[{{event: {first}, as: a, where: amount >= {self.least}}}, {{{last}: {second}, as: b}}]"
        return f"activity: {self.name}\nstate: live\ntrigger: {{pattern: {steps}, within: 10m}}\n"


class Vertex(NamedTuple):
    """Where records are counted: the beginning of a vertex's name, the end of its metric's."""

    name: str
    metric: str


EVALUATE = Vertex("evaluate", "evaluate.numRecordsIn")


def patterns(count: int, types: int = TYPES) -> list[Pattern]:
    """The types in groups, and three patterns for each group, so that an event is the first step of three."""
    groups = max(1, count // 3)
    named = [tuple(f"t{number}" for number in range(group, types, groups)) for group in range(groups)]
    return [
        Pattern(f"rule_{n}", named[n // 3 % groups], named[(n // 3 + 1) % groups], 280 + n % 20, n % 2 == 1)
        for n in range(count)
    ]


def write_rules(folder: Path, texts: Iterable[str]) -> Path:
    """A rule folder of these activities, in YAML."""
    place = folder / "activities" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (place / f"rule_{number}.yaml").write_text(text)
    return folder


def events(count: int, users: int) -> Iterator[tuple[str, int, bytes]]:
    """User, time in ms, envelope: one every 6 ms, users and types at random."""
    chance = random.Random(7)
    for number in range(count):
        user, moment = f"u{chance.randrange(users)}", START + number * STEP_MS
        yield user, moment, envelope(number, user, moment, chance)


def envelope(number: int, user: str, moment: int, chance: random.Random, kind: str = "") -> bytes:
    """`kind`: its type, else one at random."""
    props = {"order_id": f"o{number}", "amount": chance.randrange(300), "city": "sz"}
    event = {"id": f"e{number}", "type": kind or f"t{chance.randrange(TYPES)}", "user_id": user, "time": moment}
    return msgspec.json.encode({**event, "source": "shop", "props": props})


def produce(bootstrap: str, made: Iterable[tuple[str, int, bytes]], topic: str = TOPIC) -> None:
    """In event-time order in every partition; a heartbeat of an hour later in each at the end."""
    create_topics(bootstrap, [topic], PARTITIONS)
    producer = producer_of(bootstrap)
    moment = START
    for user, moment, value in made:
        send(producer, topic, user, moment, value)
    for partition in range(PARTITIONS):
        producer.produce(topic, b'{"type":"heartbeat"}', partition=partition, timestamp=moment + HOUR)
    producer.flush()


def producer_of(bootstrap: str, **options: object) -> Producer:
    return Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "partitioner": "murmur2_random", **options})


def send(producer: Producer, topic: str, user: str, moment: int, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, user.encode(), timestamp=moment)
            return
        except BufferError:
            producer.poll(0.1)


def arguments(description: str | None) -> argparse.Namespace:
    """What the command line of a benchmark says."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--quick", action="store_true", help="small: shows that it works")
    either.add_argument("--write", action="store_true", help="put the result into docs/performance.md")
    return parser.parse_args()


@contextmanager
def kafka(folder: Path, *others: str) -> Iterator[str]:
    """A broker of its own, and whatever else of the stack; gives its address."""
    ports = {key: free_port() for key in ("kafka_port", "kafka_controller_port", "redis_port", "mariadb_port")}
    stack = Stack(StackSettings(folder=folder / "stack", **ports))
    stack.up(["kafka", *others])
    try:
        yield stack.settings.kafka
    finally:
        stack.down()


def past(bootstrap: str, folder: Path, name: str, rules: Path) -> dict[str, object]:
    """The settings of a job that plays the topic from its beginning. `name`: its group, prefix and folder."""
    return {
        "kafka.bootstrap": bootstrap,
        "kafka.group": name,
        "kafka.prefix": f"{name}.",
        "kafka.events": "past\\..*",
        "kafka.start": "earliest",
        "rules.store": rules,
        "profiles.redis": "null",
        "state.checkpoints": folder / name,
        "state.interval": "2s",
        "job.log_dir": folder / "log",
        "job.heap": "2g",
        "flink.metrics.fetcher.update-interval": "250 ms",
    }


class Watched:
    """A job, seen through Flink's REST interface at this port. `running` raises RuntimeError when it has ended."""

    def __init__(self, port: int, running: Callable[[], None]) -> None:
        self._port = port
        self._running = running
        self._places: dict[Vertex, str] = {}

    def until(self, vertex: Vertex, count: int) -> float:
        """Waits for so many records; the time (monotonic seconds) at which they were seen. Raises RuntimeError."""
        return self.samples(vertex, count)[-1][0]

    def steady(self, vertex: Vertex, low: int, high: int) -> float:
        """Records a second from the `low`th to the `high`th."""
        samples = self.samples(vertex, high)
        from_low = next(number for number, sample in enumerate(samples) if sample[1] >= low)
        (began, first), (ended, last) = samples[min(from_low, len(samples) - 2)], samples[-1]
        return (last - first) / (ended - began)

    def samples(self, vertex: Vertex, count: int) -> list[tuple[float, int]]:
        """Whenever the count was seen to change, until it is `count`: in between it is as old as Flink likes."""
        found = [(time.monotonic(), 0)]
        while found[-1][1] < count:
            self._running()
            if time.monotonic() - found[-1][0] > PATIENCE_SECONDS:
                raise RuntimeError(f"the job stands still; it has read {found[-1][1]:,} records")
            time.sleep(POLL_SECONDS)
            read = self.read(vertex)
            if read != found[-1][1]:
                found.append((time.monotonic(), read))
        return found

    def read(self, vertex: Vertex) -> int:
        """How many records the vertex has read; 0 as long as it does not run."""
        try:
            if vertex not in self._places:
                self._places[vertex] = self._place(vertex)
            return int(self.ask(self._places[vertex])[0]["sum"])
        except (OSError, ValueError, LookupError, StopIteration):
            return 0

    def _place(self, vertex: Vertex) -> str:
        job = self.job()
        found = next(v["id"] for v in self.ask(job)["vertices"] if v["name"].startswith(vertex.name))
        base = f"{job}/vertices/{found}/subtasks/metrics"
        metric = next(m["id"] for m in self.ask(base) if m["id"].endswith(vertex.metric))
        return f"{base}?get={quote(metric)}"

    def job(self) -> str:
        """The path of the newest job. Raises OSError, LookupError."""
        jobs = self.ask("/jobs/overview")["jobs"]
        return f"/jobs/{sorted(jobs, key=itemgetter('start-time'))[-1]['jid']}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
            return msgspec.json.decode(answer.read())


class JobRun(Watched):
    """A job on the mini-cluster in a process of its own, killed at the end of the `with`. `started`: monotonic s."""

    def __init__(self, module: str, settings: dict[str, object], output: Path, *arguments: str) -> None:
        port = free_port()
        super().__init__(port, self._alive)
        options = ["--conf", "conf/local.yaml", *overrides(settings | {"flink.rest.bind-port": port}), *arguments]
        self.started = time.monotonic()
        self._output = output
        with output.open("ab") as log:
            command = [sys.executable, "-m", module, *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def __enter__(self) -> JobRun:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _alive(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the job has ended:\n{self._output.read_text(errors='replace')[-3000:]}")


def overrides(settings: dict[str, object]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
