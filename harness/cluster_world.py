"""A live world whose job is on a standalone cluster, and whose workers, gateway and scheduler are a fleet."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from harness.job import event, now
from harness.live_world import CHANNELS, EVENTS, LiveWorld, Traffic
from harness.world import write_conf
from kairos.adapters.sources.port import key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.apps.cluster import Cluster
from kairos.apps.cluster.job import Jobs
from kairos.apps.cluster.package import package_code
from kairos.apps.fleet.fleet import Fleet
from kairos.apps.fleet.settings import load_settings
from kairos.apps.native.ports import free_ports
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema, Source

SOURCE = EVENTS.partition(".")[2]
IN_TIME_MS = 1_500
"""Below the lateness: what was acknowledged later may count or not."""


class Sender:
    """A client of the gateway that repeats until it is acknowledged."""

    def __init__(self, url: str, given_up: threading.Event) -> None:
        self._client = httpx.Client(base_url=url, headers={"x-api-key": SOURCE}, timeout=5)
        self._given_up = given_up

    def send(self, events: list[dict[str, Any]]) -> bool:
        while not self._taken(events):
            if self._given_up.wait(0.05):
                return False
        return True

    def _taken(self, events: list[dict[str, Any]]) -> bool:
        try:
            return self._client.post("/v1/events", json=events).is_success
        except httpx.TransportError:
            return False

    def close(self, timeout: float) -> None:
        self._client.close()


class GatewayTraffic(Traffic):
    """The same through the gateway."""

    def __init__(self, url: str, users: int) -> None:
        self.begun: dict[int, int] = {}
        """Number of a user -> time of the first try."""
        super().__init__(url, users)

    def _connect(self) -> Any:
        return Sender(self._bootstrap, self._stop)

    def _write(self, producer: Any, number: int) -> None:
        user, kinds = f"u{number}", ["signup", "order_created", "order_paid"][: 2 + number % 2]
        first = self.begun[number] = now()
        events = [event(user, kind, first + place, order_id=f"o{number}") for place, kind in enumerate(kinds)]
        if producer.send(events) and now() - first < IN_TIME_MS:
            for one in events:
                self._heard(one)


class ClusterWorld(LiveWorld):
    """`cluster` belongs to the test, too."""

    def __init__(self, own: Stack, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.jobs = cluster, Jobs(cluster)
        self.ports = dict(zip((*CHANNELS, "gateway", "scheduler"), free_ports(4), strict=True))
        super().__init__(own, folder)
        sources = SqlSourceStore(own.settings.mysql_url)
        kinds = ("signup", "order_created", "order_paid")
        sources.put(
            Source(SOURCE, {kind: EventSchema({"order_id": "string"}) for kind in kinds}, identity="user_id"), "tests"
        )
        sources.add_key(SOURCE, key_hash(SOURCE), "", "tests")
        self.fleet_file = write_conf(folder / "fleet.yaml", self._fleet())
        self.fleet = Fleet(load_settings(self.fleet_file))

    def _conf(self, port: int) -> dict[str, Any]:
        conf = super()._conf(port)
        gateway = {"port": self.ports["gateway"], "sources": self.own.settings.mysql_url}
        return {key: value for key, value in conf.items() if key != "flink"} | {"gateway": gateway}

    def _fleet(self) -> dict[str, Any]:
        conf = ["--conf", str(self.conf)]
        at = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        runs = {f"deliver-{channel}": ["deliver", channel, *conf, "--status", at[channel]] for channel in CHANNELS}
        ready = {f"deliver-{channel}": at[channel] for channel in CHANNELS}
        runs |= {"gateway": ["gateway", *conf], "scheduler": ["scheduler", *conf, "--status", at["scheduler"]]}
        ready |= {name: at[name] for name in ("gateway", "scheduler")}
        return {
            "job": {"conf": str(self.conf), "savepoints": str(self.folder / "state" / "savepoints")},
            "processes": [{"name": name, "run": words, "ready": ready[name]} for name, words in runs.items()],
            "folder": str(self.folder / "fleet"),
        }

    def start_job(self, *arguments: str) -> None:
        package_code()
        self.jobs.until_at_work(self.jobs.submit(["--conf", str(self.conf), *arguments]))

    def start_workers(self, channels: Iterable[str] = CHANNELS) -> None:
        self.fleet.up()

    def start(self) -> None:
        self.start_workers()
        self.start_job()
        self.traffic = GatewayTraffic(f"http://127.0.0.1:{self.ports['gateway']}", self.users)
        self.until_it_goes_on()

    def upgrade(self, *options: str) -> subprocess.Popen[str]:
        """`kairos upgrade`, under way."""
        settings = self.cluster.settings
        keys = ("rest_port", "rpc_port", "standby_port", "zookeeper_port", "taskmanagers", "folder", "standby")
        known = {
            f"KAIROS_CLUSTER_{key.upper()}": str(getattr(settings, key)).lower() for key in keys if key != "folder"
        }
        return subprocess.Popen(
            [sys.executable, "-m", "kairos", "upgrade", "--fleet", str(self.fleet_file), *options],
            env={**os.environ, **known, "KAIROS_CLUSTER_FOLDER": str(settings.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def close(self) -> None:
        self.fleet.down()
        super().close()
