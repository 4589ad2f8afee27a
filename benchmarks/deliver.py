"""How many messages a second one worker sends, and in how much memory: `python -m benchmarks.deliver
[--messages N] [--quick | --write]`.

Real Kafka, the ledger in MariaDB and in SQLite; the receiver is a process on this machine that answers at once. The
deliveries are in Kafka before the worker starts. The rate is that of the ledger: from the first call's beginning to the
last one's end, start-up left out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
import sqlalchemy as sql

from benchmarks.kit.broker import stack
from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from harness.worker import DeliveryPlace, Worker, delivery
from jobs.progress import free_port
from kairos.adapters.database.connection import open_engine
from kairos.adapters.delivery.tables import CALLS, LEDGER
from kairos.adapters.kafka.topics import create_topics

PATIENCE_SECONDS = 600

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="
"""Of nothing but this benchmark."""


def measure(place: DeliveryPlace, port: int, count: int) -> tuple[float, float, float]:
    """Messages a second, the worker's memory at its peak in MB, its processor time a message in ms."""
    topics = [f"{place.prefix}{name}" for name in ("deliveries.webhook", "dead-letters.webhook", "receipts")]
    create_topics(place.topics.bootstrap, topics, 4)
    place.send(*(delivery(f"u{n}", channel="webhook", template=None) for n in range(count)))
    worker = place.worker("webhook", SECRET=SECRET)
    try:
        peak, processor = watch(worker, place, count)
        assert worker.stop() == 0, worker.said()
    finally:
        worker.kill()
    requests, keys = map(int, urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().split())
    assert requests == keys, f"{requests} requests of {keys} keys"
    return rate(place), peak, processor / count * 1000


def watch(worker: Worker, place: DeliveryPlace, count: int) -> tuple[float, float]:
    """Until all are settled: the peak of memory in MB, and the processor time in seconds."""
    process = psutil.Process(worker.process.pid)
    engine = open_engine(place.store)
    limit, peak = time.monotonic() + PATIENCE_SECONDS, 0.0
    query = sql.select(sql.func.count()).where(LEDGER.c.state == "sent", LEDGER.c.channel == "webhook")
    worker.until_at_work()
    while True:
        peak = max(peak, process.memory_info().rss / 1e6)
        with engine.connect() as connection:
            if connection.execute(query).scalar_one() >= count:
                times = process.cpu_times()
                engine.dispose()
                return peak, times.user + times.system
        if time.monotonic() > limit or worker.process.poll() is not None:
            raise RuntimeError(f"not all sent:\n{worker.said()}")
        time.sleep(0.5)


def rate(place: DeliveryPlace) -> float:
    engine = open_engine(place.store)
    with engine.connect() as connection:
        query = sql.select(sql.func.min(CALLS.c.started_at), sql.func.max(CALLS.c.ended_at), sql.func.count())
        first, last, calls = connection.execute(query).one()
    engine.dispose()
    return float(calls / (last - first) * 1000)


def run(count: int, folder: Path) -> list[tuple[str, float, float, float]]:
    measured = []
    with stack(folder, "kafka", "redis", "mariadb") as servers:
        for name, store in (("MariaDB", servers.settings.mysql_url), ("SQLite", "")):
            port = free_port()
            server = subprocess.Popen([sys.executable, "-m", "benchmarks.kit.webhook_server", str(port)])
            (here := folder / name).mkdir()
            options = {"provider": "webhook", "url": f"http://127.0.0.1:{port}/hook", "secret": {"env": "SECRET"}}
            place = DeliveryPlace(here, servers, {"webhook": options}, store)
            try:
                measured.append((name, *measure(place, port, count)))
            finally:
                place.close()
                server.kill()
                server.wait()
    return measured


def table(count: int, measured: list[tuple[str, float, float, float]]) -> str:
    rows = [(name, f"{speed:,.0f}", f"{peak:.0f} MB", f"{cost:.2f} ms") for name, speed, peak, cost in measured]
    columns = ("ledger", "sends/s", "memory", "processor time a message")
    return "\n".join([f"{count:,} messages; {machine()}:", "", *grid(columns, rows)])


def main() -> None:
    given = arguments(__doc__, messages=(30_000, 1_000))
    with tempfile.TemporaryDirectory() as name:
        text = table(given.messages, run(given.messages, Path(name)))
    report("deliver", given, text)


if __name__ == "__main__":
    main()
