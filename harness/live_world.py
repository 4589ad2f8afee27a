"""Everything at once, as in production: job, workers, providers and traffic, on a stack that a test may break."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from harness.job import JobProcess, Topics, event, eventually, key, now
from harness.rules import write_rules
from harness.world import Ledger, Providers, Running, audit, deliver, write_conf
from kairos.adapters.delivery.tables import delivery_key
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.profiles.redis import connect
from kairos.adapters.profiles.writer import write_profiles
from kairos.apps.native.ports import free_ports
from kairos.apps.stack import Stack

WELCOME = """
    activity: welcome
    state: live
    trigger: {event: signup}
    send: [{channel: sms, template: unpaid}]
    data: {order_id: order_id}
"""
UNPAID = """
    activity: unpaid
    state: live
    trigger:
      per: order_id
      pattern: [{event: order_created, as: order}, {absent: order_paid}]
      within: 2s
    send: [{channel: webhook, template: unpaid}]
    data: {order_id: order.order_id}
"""
CHANNELS = ("sms", "webhook")
WITHIN = 2_000
EVENTS = "events.shop"
USERS = 20_000
"""More than any test lasts."""


class Traffic:
    """Ten users a second: each signs up and orders, every other one pays at once.

    What Kafka has not acknowledged in less than the lateness may be there or not, and counts for nothing.
    """

    def __init__(self, bootstrap: str, users: int = USERS) -> None:
        self._bootstrap, self._users = bootstrap, users
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._guard = threading.Lock()
        self._acknowledged: dict[str, dict[str, int]] = {}
        self._thread.start()

    def acknowledged(self) -> dict[str, dict[str, int]]:
        """User -> type -> time."""
        with self._guard:
            return {user: dict(kinds) for user, kinds in self._acknowledged.items()}

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        producer = None
        for number in range(self._users):
            if self._stop.wait(0.1):
                break
            try:
                producer = producer or self._connect()
                self._write(producer, number)
            except KafkaError:  # it may never speak again: a new one
                if producer is not None:
                    with suppress(KafkaError):
                        producer.close(timeout=0)
                producer = None
        if producer is not None:
            producer.close(timeout=5)

    def _connect(self) -> Any:
        return KafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            delivery_timeout_ms=1_500,
            request_timeout_ms=1_000,
            max_block_ms=1_000,
            bootstrap_timeout_ms=2_000,
            reconnect_backoff_max_ms=1_000,
        )

    def _write(self, producer: Any, number: int) -> None:
        user, kinds = f"u{number}", ["signup", "order_created", "order_paid"][: 2 + number % 2]
        for place, kind in enumerate(kinds):
            one = event(user, kind, now() + place, order_id=f"o{number}")
            sent = producer.send(EVENTS, msgspec.json.encode(one), user.encode(), timestamp_ms=one["time"])
            sent.add_callback(lambda _, one=one: self._heard(one))
        sent.get(timeout=2)

    def _heard(self, one: dict[str, Any]) -> None:
        with self._guard:
            self._acknowledged.setdefault(one["user_id"], {})[one["type"]] = one["time"]


class LiveWorld:
    """`own`: a whole stack that belongs to the test. The rules are in its MariaDB, and so is the ledger."""

    users = USERS

    def __init__(self, own: Stack, folder: Path) -> None:
        self.own, self.folder = own, folder
        self.providers = Providers(folder / "providers")
        phones = {f"u{number}": {"phone": f"+86138{number:08}"} for number in range(self.users)}
        write_profiles(connect(own.settings.redis_url), phones)
        rules = write_rules(folder / "rules", welcome=WELCOME, unpaid=UNPAID)
        create_topics(own.settings.kafka, [EVENTS], 2)
        create_topics(own.settings.kafka, ["receipts", "decisions"], 2)
        assert self.publish(rules).returncode == 0
        (self.rest_port,) = free_ports(1)
        self.conf = write_conf(folder / "conf.yaml", self._conf(self.rest_port))
        self.topics, self.ledger = Topics(own.settings.kafka), Ledger(own.settings.mysql_url)
        self.workers: dict[str, Running] = {}
        self.job: JobProcess | None = None
        self.traffic: Traffic | None = None

    def _conf(self, port: int) -> dict[str, Any]:
        own, state = self.own.settings, self.folder / "state"
        limits = {"timeout": "5s", "lease": "5s", "max_backoff": "5s"}
        options = self.providers.options
        # It carries the key, by which the books tell messages apart.
        callback = {"status_callback": "https://callbacks.example/sms"}
        return {
            "kafka": {"bootstrap": own.kafka},
            "rules": {"store": own.mysql_url},
            "profiles": {"redis": own.redis_url},
            "state": {
                "checkpoints": str(state / "checkpoints"),
                "savepoints": str(state / "savepoints"),
                "interval": "1s",
            },
            "job": {"jars": [str(own.jars / "flink" / "*.jar")], "log_dir": str(self.folder / "log")},
            "flink": {"rest.bind-port": str(port)},
            "delivery": {
                "store": own.mysql_url,
                "channels": {
                    "sms": {"provider": "twilio", **options["twilio"], **callback, **limits},
                    "webhook": {"provider": "webhook", **options["webhook"], **limits},
                },
            },
        }

    def publish(self, rules: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kairos", "publish", str(rules), "--store", self.own.settings.mysql_url]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def start_job(self, *arguments: str) -> None:
        self.job = JobProcess(self.folder, ["--conf", str(self.conf), *arguments]).until_running()

    def stop_job(self) -> str:
        """Its savepoint."""
        assert self.job is not None
        assert self.job.terminate() == 0
        return self.job.said().partition("savepoint: ")[2].split()[0]

    def start_workers(self, channels: Iterable[str] = CHANNELS) -> None:
        for channel in channels:
            self.workers[channel] = deliver(self.conf, channel)

    def start(self) -> None:
        self.start_workers()
        self.start_job()
        self.traffic = Traffic(self.own.settings.kafka, self.users)
        self.until_it_goes_on()

    # ------------------------------------------------------------------------------------------------ what is seen
    def newest(self) -> str:
        """The user who was acknowledged last."""
        assert self.traffic is not None
        users = [user for user, kinds in self.traffic.acknowledged().items() if "signup" in kinds]
        return max(users, key=lambda user: int(user[1:]), default="")

    def until_it_goes_on(self) -> None:
        """Until somebody who signs up after now has been greeted, and somebody who orders after now been reminded."""
        begun = now()

        def sent() -> set[str]:
            for channel, worker in self.workers.items():
                assert worker.process.poll() is None, f"the worker of {channel} has ended:\n{worker.said()}"
            return self._sent_after(begun)

        eventually(sent, lambda found: {"welcome", "unpaid"} <= found)

    def _sent_after(self, begun: int) -> set[str]:
        acknowledged = self.traffic.acknowledged() if self.traffic else {}
        fresh = {user for user, kinds in acknowledged.items() if kinds.get("order_created", 0) > begun}
        return {record["activity"] for record in self._sends() if record["user_id"] in fresh and self._taken(record)}

    def _sends(self) -> list[dict[str, Any]]:
        return [record for record in self.topics.read("decisions") if record["outcome"] == "send"]

    def _taken(self, record: dict[str, Any]) -> bool:
        return key_of(record) in self.providers.times_taken()

    # -------------------------------------------------------------------------------------------------- at the end
    def settle(self) -> None:
        """Ends the traffic and waits until everything has come to rest; then nothing may be missing, or too much."""
        assert self.traffic is not None
        self.traffic.stop()
        said = self.traffic.acknowledged()
        expected = {(kind, user) for user, kinds in said.items() for kind in due_for(user, kinds)}
        eventually(lambda: expected - self._decided(), lambda missing: not missing)
        keys = {key_of(record) for record in self._sends()}
        eventually(lambda: keys - self.ledger.rows().keys(), lambda missing: not missing)
        eventually(self.ledger.states, lambda states: not states["reserved"] and not states["retry"])
        self._check(said, keys)

    def _decided(self) -> set[tuple[str, str]]:
        return {(record["activity"], record["user_id"]) for record in self._sends()}

    def _check(self, said: dict[str, dict[str, int]], keys: set[str]) -> None:
        first: dict[tuple[Any, ...], dict[str, Any]] = {}
        for record in self.topics.read("decisions"):
            assert first.setdefault(key(record), record) == record, "a decision that is repeated is the same"
        per_user = Counter((record["activity"], record["user_id"]) for record in first.values())
        assert set(per_user.values()) == {1}
        for record in first.values():
            kinds = said.get(record["user_id"], {})
            if record["activity"] == "unpaid" and "order_created" in kinds:
                assert "order_paid" not in kinds
                assert record["at"] == kinds["order_created"] + WITHIN
        assert self.topics.read("dead-letters") == []
        self._check_messages(keys)
        audit(self.conf)

    def unknown(self) -> int:
        """Of how many messages nobody can say whether they went."""
        return self.ledger.states()["unknown"]

    def _check_messages(self, keys: set[str]) -> None:
        """Text messages go at most once, and are unknown where nobody can say; webhooks at least once."""
        taken, rows, calls = self.providers.times_taken(), self.ledger.rows(), self.ledger.calls()
        assert rows.keys() == keys
        assert taken.keys() <= keys
        for name, row in rows.items():
            if row["channel"] == "sms":
                assert (row["state"], taken[name]) in (("sent", 1), ("unknown", 0), ("unknown", 1))
            else:
                assert row["state"] == "sent"
                assert 1 <= taken[name] <= calls[name]

    def delays(self) -> list[tuple[int, int]]:
        """(time of the decision, how much later (ms) a provider had the message), in the order of time."""
        taken = {one["key"]: one["at"] for one in self.providers.taken()}
        return sorted((record["at"], taken[key_of(record)] - record["at"]) for record in self._sends())

    def close(self) -> None:
        if self.traffic is not None:
            self.traffic.stop()
        if self.job is not None:
            self.job.kill()
        for worker in self.workers.values():
            worker.kill()
        self.providers.close()
        self.ledger.close()
        self.topics.close()


def due_for(user: str, kinds: dict[str, int]) -> Iterable[str]:
    """Which activities must have sent to a user of whom Kafka has acknowledged these."""
    if "signup" in kinds:
        yield "welcome"
    if "order_created" in kinds and int(user[1:]) % 2 == 0:
        yield "unpaid"


def key_of(record: dict[str, Any]) -> str:
    return delivery_key(record["activity"], record["user_id"], record["occurrence"], record.get("attempt", 1))
