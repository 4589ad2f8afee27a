"""The world in which processes are killed: everything that runs in production, on this machine, under traffic."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
from kafka import KafkaConsumer, KafkaProducer

from benchmarks.kit.broker import stack
from harness.cluster_world import SOURCE, ClusterWorld
from harness.job import eventually, now
from harness.live_world import EVENTS
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.cluster import Cluster, ClusterSettings
from kairos.apps.native.group import Group
from kairos.apps.native.ports import free_ports
from kairos.apps.stack import Stack

FOREIGN = "foreign"
"""The topic that the bridge reads."""
BESIDE: dict[str, Callable[[int], list[str]]] = {
    "callbacks": lambda port: ["callbacks", "--port", str(port)],
    "bridge": lambda port: ["bridge", "kafka", "--topic", FOREIGN, "--source", SOURCE, *_status(port)],
    "api": lambda port: ["api", "--set", f"api.port={port}"],
    "console": lambda port: ["console", "--set", f"api.port={port}"],
    "alarms": lambda port: ["alarms", *_status(port)],
    "loader": lambda port: ["warehouse", "load", "--follow", *_status(port)],
}
"""What no message waits for, but the bridge: process -> words of its command on a port."""


def _status(port: int) -> list[str]:
    return ["--status", f"127.0.0.1:{port}"]


class World(ClusterWorld):
    """`beside`: which of BESIDE run."""

    users = 60_000

    def __init__(self, own: Stack, cluster: Cluster, folder: Path, beside: Sequence[str]) -> None:
        self._beside = dict(zip(beside, free_ports(len(beside)), strict=True))
        super().__init__(own, cluster, folder)

    def _conf(self, port: int) -> dict[str, Any]:
        alarms = {"provider": "file", "path": str(self.folder / "alarms.jsonl")}
        return super()._conf(port) | {
            "warehouse": {"folder": str(self.folder / "warehouse"), "interval": "1s"},
            "alarms": {"state": str(self.folder / "alarms.json"), "receivers": {"oncall": alarms}},
        }

    def _fleet(self) -> dict[str, Any]:
        fleet = super()._fleet()
        conf = ["--conf", str(self.conf)]
        for name, port in self._beside.items():
            words = [*BESIDE[name](port), *conf]
            fleet["processes"].append({"name": name, "run": words, "ready": f"127.0.0.1:{port}"})
        return fleet

    def arrivals(self) -> dict[int, int]:
        """Number of a user who has signed up -> when a provider had the text message."""
        times = [(one["address"], one["at"]) for one in self.providers.taken() if one["provider"] == "twilio"]
        return {int(address.removeprefix("+86138")): at for address, at in times}

    def leader(self) -> str:
        """The JobManager to which a TaskManager has its connection."""
        pids = {status.name: status.pid for status in self.cluster.status()}
        peers = {each.raddr.port for each in _connections(pids[self.busy()]) if each.raddr}
        managers = [name for name in pids if name.startswith("jobmanager") and pids[name]]
        return next(name for name in managers if peers & _listens(pids[name]))

    def busy(self) -> str:
        """The TaskManager that has the job."""
        return next(each.name for each in self.cluster.status() if each.detail.startswith("0 of"))


def _connections(pid: int | None) -> list[Any]:
    assert pid is not None
    return list(psutil.Process(pid).net_connections("tcp"))


def _listens(pid: int | None) -> set[int]:
    return {each.laddr.port for each in _connections(pid) if each.status == psutil.CONN_LISTEN}


@contextmanager
def world(folder: Path, beside: Sequence[str] = (), **cluster: Any) -> Iterator[World]:
    """At work, and under traffic. `cluster`: settings of it."""
    names = ("rest_port", "rpc_port", "standby_port", "zookeeper_port")
    ports: dict[str, Any] = dict(zip(names, free_ports(len(names)), strict=True))
    flink = Cluster(ClusterSettings(folder=folder / "cluster", **ports, **cluster))
    with stack(folder, "kafka", "redis", "mariadb", "heartbeat") as servers:
        create_topics(servers.settings.kafka, [FOREIGN], 2)
        try:
            flink.up()
            live = World(servers, flink, folder, beside)
            try:
                live.start()
                yield live
            finally:
                live.close()
        finally:
            flink.down()


class Bridged:
    """Ten records a second into the bridge's topic, and when each was in that of the events."""

    def __init__(self, bootstrap: str) -> None:
        self.begun: dict[int, int] = {}
        self.arrived: dict[int, int] = {}
        self._bootstrap, self._stop = bootstrap, threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def _write(self) -> None:
        producer = KafkaProducer(bootstrap_servers=self._bootstrap)
        number = 0
        while not self._stop.wait(0.1):
            self.begun[number] = at = now()
            one = {"id": f"bridged-{number}", "type": "order_paid", "user_id": f"b{number}", "time": at}
            producer.send(FOREIGN, msgspec.json.encode({**one, "props": {"order_id": f"b{number}"}}))
            number += 1
        producer.close()

    def _read(self) -> None:
        consumer = KafkaConsumer(EVENTS, bootstrap_servers=self._bootstrap, auto_offset_reset="earliest", group_id=None)
        while not self._stop.is_set():
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    name = msgspec.json.decode(record.value).get("id", "") if record.value else ""
                    if name.startswith("bridged-"):
                        self.arrived.setdefault(int(name.removeprefix("bridged-")), now())
        consumer.close()

    def settle(self) -> None:
        """Everything that was written arrives. Ends it."""
        eventually(lambda: self.begun.keys() - self.arrived.keys(), lambda missing: len(missing) < 3)
        self._stop.set()
        for thread in self._threads:
            thread.join()


APART_SECONDS = 30.0
"""Flink waits longer before it restarts a job that fails again within 20 s of its last restart (jobs/environment.py),
which comes some seconds after a kill."""
MEMBER_APART_SECONDS = 25.0
"""A member of a group of Kafka's that starts again has its partitions once the session of the dead one is over; then
what waited goes out. A kill before that adds its wait to the one before."""
ALONE = {"taskmanagers": 1}
SPARE = {"taskmanagers": 2}
"""One slot more than the job needs."""
REDUNDANT = {**SPARE, "standby": True}
"""And a JobManager that takes over."""


class Victim(NamedTuple):
    """`group()` has the process `name()`, which is found anew for each kill. `waits`: whether messages wait for it.
    `apart`: seconds between two kills, at least."""

    group: Callable[[World], Group]
    name: Callable[[World], str]
    waits: bool = True
    beside: Iterable[str] = ()
    apart: float = 0.0
    cluster: Mapping[str, Any] = SPARE


def _process(name: str, *, waits: bool = True, apart: float = 0.0) -> Victim:
    return Victim(lambda live: live.fleet, lambda _: name, waits, [name] if name in BESIDE else [], apart)


VICTIMS = {
    "gateway": _process("gateway"),
    "worker": _process("deliver-sms", apart=MEMBER_APART_SECONDS),
    "heartbeat": Victim(lambda live: live.own, lambda _: "heartbeat"),
    "scheduler": _process("scheduler", waits=False),
    "callbacks": _process("callbacks", waits=False),
    "bridge": _process("bridge", apart=MEMBER_APART_SECONDS),
    "api": _process("api", waits=False),
    "console": _process("console", waits=False),
    "alarms": _process("alarms", waits=False),
    "loader": _process("loader", waits=False),
    "TaskManager": Victim(lambda live: live.cluster, World.busy, apart=APART_SECONDS),
    "JobManager": Victim(lambda live: live.cluster, World.leader, cluster=REDUNDANT),
}
"""What to kill, by the name that docs/availability.md has for it."""
