"""The job as a process, and the topics around it, as tests see them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from kairos.adapters.kafka.topics import create_topics
from kairos.apps.native.ports import free_ports

PATIENCE_SECONDS = 240
"""How long a condition may take; far above what is expected, because machines differ."""

PARTITIONS = 2

T = TypeVar("T")

MINUTE = 60_000


def now() -> int:
    return time.time_ns() // 1_000_000


def event(user_id: str, kind: str, time_ms: int, **props: Any) -> dict[str, Any]:
    name = f"{user_id}-{kind}-{time_ms}"
    return {"id": name, "type": kind, "user_id": user_id, "time": time_ms, "source": "shop", "props": props}


def key(record: dict[str, Any]) -> tuple[Any, ...]:
    """What a decision is told by: of each there is one. A version on trial decides the same occurrences beside it."""
    attempt, shadow = record.get("attempt", 1), record.get("shadow", False)
    return (record["activity"], record["user_id"], record["occurrence"], attempt, record["outcome"], shadow)


def eventually(get: Callable[[], T], enough: Callable[[T], bool], patience: float = PATIENCE_SECONDS) -> T:
    """Polls until what it gets is enough; fails with the last of it. Takes a third of the time at most: what it waits
    for needs the machine too."""
    limit = time.monotonic() + patience
    while True:
        asked = time.monotonic()
        if enough(found := get()):
            return found
        answered = time.monotonic()
        assert answered < limit, f"after {patience} s there is only {found!r:.2000}"
        time.sleep(max(0.05, 2 * (answered - asked)))


class JobProcess:
    """`python -m jobs.marketing` with all its children, which are in a process group of their own."""

    def __init__(self, folder: Path, arguments: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.output = folder / f"job-{time.monotonic_ns()}.out"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jobs.marketing", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def until_said(self, text: str) -> JobProcess:
        def heard() -> bool:
            assert self.process.poll() is None or text in self.said(), f"the job has ended:\n{self.said()}"
            return text in self.said()

        eventually(heard, bool)
        return self

    def until_running(self) -> JobProcess:
        return self.until_said("is running")

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def terminate(self) -> int:
        """As an operator does: it leaves a savepoint."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL for everything at once: the client, its JVM and the Python in it."""
        if self.process.poll() is None or _group_lives(self.process.pid):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class Topics:
    """What a test writes to Kafka and reads from it."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=2)

    def send(self, topic: str, *events: Mapping[str, Any]) -> None:
        """As the access layer does: key = user, timestamp = event time."""
        for event in events:
            self.send_raw(topic, event["user_id"], msgspec.json.encode(event), event["time"])
        self._producer.flush(PATIENCE_SECONDS)

    def send_raw(
        self, topic: str, key: str | None, value: bytes | None, time_ms: int, partition: int | None = None
    ) -> None:
        encoded = None if key is None else key.encode()
        self._producer.send(topic, key=encoded, value=value, timestamp_ms=time_ms, partition=partition)

    def flush(self) -> None:
        self._producer.flush(PATIENCE_SECONDS)

    def read(self, topic: str, committed: bool = False) -> list[dict[str, Any]]:
        """All values that are in the topic now, as JSON."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed" if committed else "read_uncommitted",
        )
        try:
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            if not places:
                return []
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            consumer.seek_to_beginning(*places)
            values = []
            while any(consumer.position(place) < ends[place] for place in places):
                for records in consumer.poll(timeout_ms=200).values():
                    values += [msgspec.json.decode(record.value) for record in records]
            return values
        finally:
            consumer.close()

    def close(self) -> None:
        self._producer.close()


class LiveJob:
    """A job on Kafka that reads `<root>.<name>.*` and writes `<name>.decisions` and so on; it may be started again.

    The stack's heartbeat reaches topics whose `root` is `events`. A test that plays the past chooses another one: real
    heartbeats would say that the past is over.
    """

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        rules: Path,
        overrides: Iterable[str] = (),
        root: str = "events",
        name: str | None = None,
    ) -> None:
        self.folder = folder
        self.name = name or f"t{uuid.uuid4().hex[:8]}"
        self.topics = Topics(bootstrap)
        self.events = f"{root}.{self.name}.shop"
        create_topics(bootstrap, [self.events], PARTITIONS)
        (port,) = free_ports(1)
        self.rest = f"http://127.0.0.1:{port}"
        self.settings = [
            f"kafka.bootstrap={bootstrap}",
            f"kafka.group={self.name}",
            f"kafka.events={root}\\.{self.name}\\..*",
            f"kafka.prefix={self.name}.",
            f"rules.store={rules}",
            f"state.checkpoints={folder / 'checkpoints'}",
            f"state.savepoints={folder / 'savepoints'}",
            "state.interval=1s",
            "profiles.redis=null",
            "lease.store=null",  # its topics are its own
            f"job.log_dir={folder / 'log'}",
            f"flink.rest.bind-port={self.rest.rpartition(':')[2]}",
            *overrides,
        ]
        self.process: JobProcess | None = None

    def start(self, *arguments: str) -> JobProcess:
        words = [word for setting in self.settings for word in ("--set", setting)]
        self.process = JobProcess(self.folder, ["--conf", "conf/local.yaml", *words, *arguments])
        return self.process

    def send(self, *events: Mapping[str, Any]) -> None:
        self.topics.send(self.events, *events)

    def stop(self) -> str:
        """Its savepoint."""
        assert self.process is not None
        assert self.process.terminate() == 0, self.process.said()
        return self.process.said().partition("savepoint: ")[2].split()[0]

    def beat(self, time_ms: int, *topics: str) -> None:
        """Says in every partition of what it reads (its events, if nothing else is named) that all before this time has
        been written."""
        for topic in topics or [self.events]:
            for partition in range(PARTITIONS):
                self.topics.send_raw(topic, None, b'{"type":"heartbeat"}', time_ms, partition)
        self.topics.flush()

    def decisions(self, user_id: str | None = None) -> list[dict[str, Any]]:
        found = self.topics.read(f"{self.name}.decisions")
        return [record for record in found if user_id in (None, record["user_id"])]

    def until_decided(self, user_id: str) -> list[dict[str, Any]]:
        return eventually(lambda: self.decisions(user_id), bool)

    def dead_letters(self) -> list[dict[str, Any]]:
        return self.topics.read(f"{self.name}.dead-letters")

    def log(self) -> str:
        return "".join(file.read_text(errors="replace") for file in (self.folder / "log").glob("*.log"))

    def state(self) -> dict[str, Any]:
        """What Flink's REST interface says of the one job."""
        job: dict[str, Any]
        (job,) = self._ask("/jobs/overview")["jobs"]
        return job

    def checkpoints(self) -> int:
        """How many were completed since the start."""
        return int(self._ask(f"/jobs/{self.state()['jid']}/checkpoints")["counts"]["completed"])

    def restarts(self) -> int:
        job = self.state()["jid"]
        # Flink fetches a metric when it is asked for, and says nothing of it until it has.
        (metric,) = eventually(lambda: self._ask(f"/jobs/{job}/metrics?get=numRestarts"), bool)
        return int(metric["value"])

    def counters(self) -> dict[str, int]:
        """Our own metrics: "group.name" -> sum over all tasks."""
        found: Counter[str] = Counter()
        job = f"/jobs/{self.state()['jid']}"
        for vertex in self._ask(job)["vertices"]:
            base = f"{job}/vertices/{vertex['id']}/subtasks/metrics"
            names = [m["id"] for m in self._ask(base) if ".kairos." in m["id"]]
            if names:
                for metric in self._ask(f"{base}?get={','.join(names)}"):
                    found[metric["id"].partition(".kairos.")[2]] += int(metric["sum"])
        return found

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.rest + path, timeout=PATIENCE_SECONDS) as answer:
            return msgspec.json.decode(answer.read())

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
        self.topics.close()
