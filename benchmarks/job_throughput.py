"""Events a second of the job with 1, 10, 100 and 1,000 live rules, and of its floor, on the same Kafka topic:
`python -m benchmarks.job_throughput [--events N] [--users N] [--rules 1,100] [--backend hashmap] [--write]`.

An event touches three rules (one, where there is only one): sequences and absences within 10 minutes. Only the
steady part counts: what `evaluate` read between the first tenth of the events and the last.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaProducer

from benchmarks.page import PAGE, note
from jobs.progress import free_port
from kairos.adapters.kafka_topics import create_topics
from kairos.apps.stack import Stack, StackSettings

START = 1_763_778_000_000
STEP_MS = 6
PARTITIONS = 2
TOPIC = "past.shop"
POLL_SECONDS = 0.25
PATIENCE_SECONDS = 600.0


def produce(bootstrap: str, count: int, users: int, types: int) -> None:
    """In event-time order in every partition; a heartbeat in each at the end."""
    create_topics(bootstrap, [TOPIC], PARTITIONS)
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=1 << 17, acks=1)
    chance = random.Random(7)
    encode = msgspec.json.Encoder().encode
    for number in range(count):
        moment = START + number * STEP_MS
        user = f"u{chance.randrange(users)}"
        props = {"order_id": f"o{number}", "amount": chance.randrange(300), "city": "sz"}
        event = {"id": f"e{number}", "type": f"t{chance.randrange(types)}", "user_id": user, "time": moment}
        producer.send(TOPIC, encode({**event, "source": "shop", "props": props}), user.encode(), timestamp_ms=moment)
    for partition in range(PARTITIONS):
        beat = START + count * STEP_MS + 3_600_000
        producer.send(TOPIC, b'{"type":"heartbeat"}', partition=partition, timestamp_ms=beat)
    producer.flush()
    producer.close()


def write_rules(folder: Path, count: int, types: int) -> Path:
    """The types in groups, and three rules for each group, so that an event touches three of them as first step."""
    groups = max(1, count // 3)
    lists = ["[" + ", ".join(f"t{number}" for number in range(group, types, groups)) + "]" for group in range(groups)]
    for number in range(count):
        first, second = lists[number // 3 % groups], lists[(number // 3 + 1) % groups]
        last = f"absent: {second}" if number % 2 else f"event: {second}"
        path = folder / "activities" / "bench" / f"rule_{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        pattern = f"[{{event: {first}, as: a, where: amount >= {280 + number % 20}}}, {{{last}, as: b}}]"
        path.write_text(f"activity: rule_{number}\nstate: live\ntrigger: {{pattern: {pattern}, within: 10m}}\n")
    return folder


def measure(module: str, settings: dict[str, object], events: int, output: Path) -> float:
    """Events a second of the steady part."""
    port = free_port()
    words = [f"{key}={value}" for key, value in (settings | {"flink.rest.bind-port": port}).items()]
    command = [sys.executable, "-m", module, "--conf", "conf/local.yaml", *(w for s in words for w in ("--set", s))]
    with output.open("ab") as log:
        job = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        return _steady(port, events, job)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()


def _steady(port: int, events: int, job: subprocess.Popen[bytes]) -> float:
    samples: list[tuple[float, int]] = []
    limit = time.monotonic() + PATIENCE_SECONDS
    while not samples or samples[-1][1] < 0.9 * events:
        if job.poll() is not None or time.monotonic() > limit:
            raise RuntimeError(f"the job ended or stands still; samples: {samples[-3:]}")
        time.sleep(POLL_SECONDS)
        samples.append((time.monotonic(), _read(port)))
    steady = [(moment, count) for moment, count in samples if count >= 0.1 * events]
    (began, low), (ended, high) = steady[0], steady[-1]
    return (high - low) / (ended - began) if ended > began else 0.0


def _read(port: int) -> int:
    """How many records `evaluate` has read; 0 as long as it does not run."""
    try:
        job = _ask(port, "/jobs/overview")["jobs"][0]["jid"]
        vertices = _ask(port, f"/jobs/{job}")["vertices"]
        vertex = next(v["id"] for v in vertices if v["name"].startswith("evaluate"))
        metric = _ask(port, f"/jobs/{job}/vertices/{vertex}/subtasks/metrics?get=evaluate.numRecordsIn")
        return int(metric[0]["sum"])
    except (OSError, ValueError, LookupError, StopIteration):
        return 0


def _ask(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return msgspec.json.decode(answer.read())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--rules", default="1,10,100,1000")
    parser.add_argument("--backend", default="hashmap")
    parser.add_argument("--write", action="store_true", help="put the result into docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ports = {key: free_port() for key in ("kafka_port", "kafka_controller_port", "redis_port", "mariadb_port")}
        stack = Stack(StackSettings(folder=folder / "stack", **ports))
        stack.up(["kafka"])
        try:
            text = run(options, folder, stack.settings.kafka)
        finally:
            stack.down()
    if options.write:
        PAGE.write_text(note(PAGE.read_text(), "benchmarks.job_throughput", text))


def run(options: argparse.Namespace, folder: Path, bootstrap: str) -> str:
    counts = [int(count) for count in options.rules.split(",")]
    types = max(1, max(counts) // 3)
    produce(bootstrap, options.events, options.users, types)
    print(f"{options.events:,} events of {options.users:,} users and {types} types are in Kafka")
    floor = 0.0
    rows = [
        f"{options.events:,} events of {options.users:,} users from Kafka, {options.backend} state:",
        "",
        "| rules | events/s | of the floor |",
        "|---|---|---|",
    ]
    for case, count in [("floor", counts[0]), *((f"{count:,} rules", count) for count in counts)]:
        group = f"bench{case.split()[0].replace(',', '')}"
        settings: dict[str, object] = {
            "kafka.bootstrap": bootstrap,
            "kafka.group": group,
            "kafka.prefix": f"{group}.",
            "kafka.events": "past\\..*",
            "kafka.start": "earliest",
            "rules.store": write_rules(folder / f"rules{count}", count, types),
            "profiles.redis": "null",
            "state.backend": options.backend,
            "state.checkpoints": folder / group,
            "state.interval": "2s",
            "job.log_dir": folder / "log",
            "job.heap": "2g",
        }
        module = "benchmarks.job_floor" if case == "floor" else "jobs.marketing"
        rate = measure(module, settings, options.events, folder / "jobs.out")
        floor = floor or rate
        print(f"{case:>12}: {rate:>10,.0f} events/s  {rate / floor:5.2f} of the floor", flush=True)
        rows.append(f"| {case} | {rate:,.0f} | {rate / floor:.2f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
