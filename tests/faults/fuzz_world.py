"""Every process that takes something in, on a stack of its own, and the doors through which a fuzzer reaches them."""

from __future__ import annotations

import socket
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import httpx
import msgspec
from google.protobuf.json_format import ParseDict
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from harness.job import eventually, now
from harness.live_world import EVENTS, UNPAID, WELCOME, LiveWorld
from harness.rules import write_rules
from harness.world import Running
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.grpc.events_pb2 import Event, SendRequest
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.bridge_process import BridgeProcess, Queue
from tests.access.gateway.gateway_process import GatewayProcess
from tests.faults.fuzz_judge import MB, Seen, lasting, memory_of
from tests.faults.fuzz_settings import setting
from tests.faults.hostile import PATHS, Hostile, Sent

LIMITS = {"job": 4_000 * MB, "gateway": 500 * MB, "bridge": 400 * MB, "callbacks": 400 * MB}
WORKER_LIMIT = 400 * MB
FLOOD, GATHERED = setting("FLOOD", 20), setting("GATHERED", 10)
"""Large events of one user, and of one device, in each round."""
OURS = ("receipts", "decisions", "dead-letters", "deliveries.sms", "deliveries.webhook")
TWICE = """
    activity: twice
    state: live
    trigger: {event: order_created}
    data: {one: order_id, two: order_id}
"""
THRICE = """
    activity: thrice
    state: live
    trigger: {count: order_created, times: 3, within: 1h}
    data: {ids: order_created.count}
"""
SEND = "/kairos.v1.Events/Send"


class FuzzWorld:
    """The source `fuzz` is the gateway's and the bridge's; the job takes events of all."""

    def __init__(self, own: Stack, folder: Path) -> None:
        self.own, self.live = own, LiveWorld(own, folder)
        rules = write_rules(folder / "more", welcome=WELCOME, unpaid=UNPAID, twice=TWICE, thrice=THRICE)
        done = self.live.publish(rules)
        assert done.returncode == 0, done.stderr
        kafka, address = own.settings.kafka, own.settings.mysql_url
        create_topics(kafka, OURS, 2)
        self.gateway = GatewayProcess(
            folder / "gateway", kafka, own.settings.redis_url, ("--set", "gateway.grpc_port=0"), address
        )
        schemas = {name: EventSchema({"order_id": "string"}) for name in ("signup", "order_created")}
        self.source = self.gateway.source(schemas)
        self.devices = self.gateway.source(schemas, {"device_id": "redis"})
        self.queue = Queue(own.settings.rabbitmq_url)
        self.producer = KafkaProducer(bootstrap_servers=kafka, max_request_size=4 * MB, linger_ms=2)
        self.sockets: list[socket.socket] = []
        self.refusals: list[tuple[str, list[int]]] = []

    def start(self) -> None:
        self.live.start_workers()
        self.live.start_job()
        self.gateway.start()
        said = eventually(lambda: self.gateway.said().partition("takes events at grpc://")[2].partition("\n")[0], bool)
        self.channel = grpc.insecure_channel(said, [("grpc.max_send_message_length", -1)])
        conf = self.live.conf
        rabbitmq = ["--set", f"bridge.rabbitmq.url={self.own.settings.rabbitmq_url}"]
        arguments = ["rabbitmq", "--queue", self.queue.name, "--source", self.source, "--conf", str(conf), *rabbitmq]
        self.bridge = BridgeProcess(conf.parent / "bridge.log", arguments).start()
        self.bridge.says("is carried")
        self.callbacks = Running(
            conf.parent / "callbacks.out", ["kairos", "callbacks", "--conf", str(conf), "--port", "0"]
        )
        self.callbacks.until_said("listening on ")
        port = self.callbacks.said().partition("port ")[2].partition(",")[0]
        self.callback_url = f"http://127.0.0.1:{port}"

    # ------------------------------------------------------------------------------------------------ what is bad
    def fire(self, hostile: Hostile, times: int) -> None:
        """So much through each door. Answers are whatever they are; only "later" is asked once more."""
        if "half_sent" in hostile.kinds:
            self._half_sent()
        if "flood" in hostile.kinds:
            self._flood(FLOOD)
        if "device" in hostile.kinds:
            self._gather_for_a_device(f"d{now()}", GATHERED)
        for _ in range(times):
            for topic in (EVENTS, f"events.{self.source}", *OURS):
                self._write(topic, hostile.record())
            self._post(hostile)
            self._call(hostile)
            with suppress(Exception):  # whatever the client of RabbitMQ does not send
                self.queue.publish([(hostile.value() or b"", {"message_id": "m"}), (hostile.deep(), {})])
            with suppress(httpx.HTTPError):
                path = "/callbacks/sms" if hostile.form() else "/callbacks/x"
                httpx.post(self.callback_url + path, content=hostile.form(), timeout=20)
        if "long_type" in hostile.kinds:
            self._long_type()
        self.producer.flush(300)  # a flood of hundreds of megabytes takes its time

    def _write(self, topic: str, record: Sent) -> None:
        with suppress(KafkaError, ValueError):  # the client itself sends no record without key and value
            self.producer.send(topic, record.value, record.key, timestamp_ms=record.time)

    def _post(self, hostile: Hostile) -> None:
        request = hostile.request()
        headers = {"x-api-key": self.source, **request.headers}
        answers: list[int] = []
        with suppress(httpx.HTTPError):
            for _ in range(2):
                url = self.gateway.url + request.path
                answers.append(httpx.post(url, content=request.body, headers=headers, timeout=30).status_code)
                if answers[-1] != 503:
                    break
        self.refusals.append((f"{request.path} {request.body[:80]!r}", answers))

    def _long_type(self) -> None:
        """One record of a batch cannot be taken; the others are, and nobody is told to send it again."""
        answers = []
        for _ in range(2):
            event = {"id": "long", "type": "x" * 990_000, "user_id": "h1", "time": now(), "props": {}}
            answers.append(self.gateway.post([event], self.source).status_code)
        self.refusals.append(("a type of 990 kB", answers))

    def _call(self, hostile: Hostile) -> None:
        call = self.channel.unary_unary(SEND)
        with suppress(grpc.RpcError):
            call(hostile.value() or b"", metadata=(("x-api-key", self.source),), timeout=20)

    def _half_sent(self) -> None:
        """Bodies without a key that never end; kept open over the round."""
        while self.sockets:
            self.sockets.pop().close()
        host, _, port = self.gateway.url.removeprefix("http://").partition(":")
        for _ in range(20):
            one = socket.create_connection((host, int(port)), timeout=5)
            head = f"POST {PATHS[0]} HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n"
            one.sendall(head.encode() + b"[" * 100_000)
            self.sockets.append(one)

    def _flood(self, times: int) -> None:
        """Orders of 0.9 MB, all of one user, all of them waiting for the third."""
        for number in range(times):
            props = {"order_id": f"{number}" + "x" * 900_000}
            event = {
                "id": f"f{now()}-{number}",
                "type": "order_created",
                "user_id": "h-flood",
                "time": now(),
                "source": "shop",
            }
            self._write(EVENTS, Sent(b"h-flood", msgspec.json.encode(event | {"props": props}), now()))

    def _gather_for_a_device(self, device: str, times: int) -> None:
        """Large events of somebody unknown, who is then told to be a user."""
        for number in range(times):
            props = {"device_id": device, "order_id": "x" * 900_000}
            event = {"id": f"{device}-{number}", "type": "signup", "time": now(), "props": props}
            self.gateway.post([event], self.devices)
        props = {"device_id": device}
        told = {"id": f"{device}-told", "type": "identify", "user_id": "h-device", "time": now(), "props": props}
        answers = [self.gateway.post([told], self.devices).status_code for _ in range(2)]
        self.refusals.append((f"identify with {times} events waiting", answers))

    # ----------------------------------------------------------------------------------------------- what is good
    def greet(self, first: int) -> set[str]:
        """Four users, one through each door; each has to have a message."""
        users = [f"u{first + number}" for number in range(4)]
        one, two, three, four = (
            {"id": f"{user}-in", "type": "signup", "user_id": user, "time": now(), "props": {"order_id": "o"}}
            for user in users
        )
        assert eventually(lambda: self.gateway.post([one], self.source).status_code, lambda code: code < 300)
        request = SendRequest(events=[ParseDict(two, Event())])
        call = self.channel.unary_unary(SEND)
        call(request.SerializeToString(), metadata=(("x-api-key", self.source),), timeout=30)
        self.queue.publish([(msgspec.json.encode(three), {})])
        self.producer.send(
            EVENTS, msgspec.json.encode(four | {"source": "shop"}), users[3].encode(), timestamp_ms=four["time"]
        )
        self.producer.flush(30)
        return set(users)

    def waiting(self, users: set[str]) -> set[str]:
        """Those of whom the ledger does not say that a message went."""
        return users - {row["user_id"] for row in self.live.ledger.rows().values() if row["state"] == "sent"}

    def stuck(self) -> set[str]:
        """Partitions of deliveries that their worker has not committed to the end."""
        return {place for channel in self.live.workers for place in self._behind(channel)}

    def _behind(self, channel: str) -> list[str]:
        topic = f"deliveries.{channel}"
        consumer = KafkaConsumer(bootstrap_servers=self.own.settings.kafka, group_id=f"kairos-deliver-{channel}")
        try:
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            ends = consumer.end_offsets(places)
            return [f"{topic}/{p.partition}" for p in places if (consumer.committed(p) or 0) < ends[p]]
        finally:
            consumer.close()

    def seen(self, waiting: set[str], stuck: set[str]) -> Seen:
        workers = {f"worker {name}": worker.process for name, worker in self.live.workers.items()}
        assert self.live.job is not None
        processes: dict[str, Any] = {
            "job": self.live.job.process, "gateway": self.gateway.process, "bridge": self.bridge.process,
            "callbacks": self.callbacks.process, **workers,
        }  # fmt: skip
        memory = {
            name: memory_of(process.pid) if process.poll() is None else None for name, process in processes.items()
        }
        limits = LIMITS | dict.fromkeys(workers, WORKER_LIMIT)
        waits, places = frozenset(waiting), tuple(sorted(stuck))
        return Seen(memory, self._restarts(), waits, places, lasting(self.refusals), limits)

    def _restarts(self) -> int:
        (job,) = self._ask("/jobs/overview")["jobs"]
        (metric,) = eventually(lambda: self._ask(f"/jobs/{job['jid']}/metrics?get=numRestarts"), bool)
        return int(metric["value"])

    def _ask(self, path: str) -> Any:
        port = self.live.rest_port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return msgspec.json.decode(answer.read())

    def close(self) -> None:
        for one in self.sockets:
            one.close()
        for name in ("bridge", "callbacks"):
            if hasattr(self, name):
                getattr(self, name).kill()
        if self.gateway.process is not None and self.gateway.process.poll() is None:
            self.gateway.kill()
        self.producer.close(timeout=5)
        self.live.close()
