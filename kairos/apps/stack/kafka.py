"""Kafka: one node that is broker and controller (KRaft)."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from kairos.apps.native.programs import java
from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import ServiceError
from kairos.apps.stack.settings import StackSettings

CLUSTER_ID = "a2Fpcm9zLWxvY2FsLS0tLQ"


class KafkaService:
    name = "kafka"

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self.address = settings.kafka
        self.ports: Sequence[int] = (settings.kafka_port, settings.kafka_controller_port)
        self.folder: Path = settings.folder / self.name
        self._properties = self.folder / "server.properties"

    def prepare(self) -> None:
        if not list((self._settings.jars / "kafka").glob("kafka_*.jar")):
            raise ServiceError(f"Kafka's jars are not in {self._settings.jars / 'kafka'}; 'make setup' fetches them")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text("".join(f"{key}={value}\n" for key, value in self._options().items()))
        if (self.folder / "data" / "meta.properties").exists():
            return
        arguments = ["format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", str(self._properties)]
        done = subprocess.run(self._java("kafka.tools.StorageTool", *arguments), capture_output=True, text=True)
        if done.returncode != 0:
            raise ServiceError(f"Kafka's data folder in {self.folder} could not be made:\n{done.stdout}{done.stderr}")

    def _options(self) -> dict[str, object]:
        host, port, controller = self._settings.host, self._settings.kafka_port, self._settings.kafka_controller_port
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{host}:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}",
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "num.partitions": 2,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # A broker that crashed may register again only when its old session is over.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "group.initial.rebalance.delay.ms": 0,
            "log.message.timestamp.type": "CreateTime",
            # By size: retention by time looks at the record timestamps, which are event times, and would delete a
            # clickstream of years ago as soon as it is in.
            "log.retention.ms": -1,
            "log.retention.bytes": 1 << 30,
            "log.segment.bytes": 64 << 20,
        }

    def _java(self, main: str, *arguments: str) -> list[str]:
        classpath = f"{self._settings.jars / 'kafka'}/*"
        return [java(), "-Xms128m", "-Xmx512m", "-Dlog4j2.level=WARN", "-cp", classpath, main, *arguments]

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", str(self._properties))

    def environment(self) -> dict[str, str]:
        return {}

    def check(self) -> str:
        try:
            admin = KafkaAdminClient(
                bootstrap_servers=self.address,
                client_id="kairos-stack",
                bootstrap_timeout_ms=2000,
                request_timeout_ms=2000,
            )
        except KafkaError as error:
            raise NotReady(str(error)) from None
        try:
            topics = [topic for topic in admin.list_topics() if not topic.startswith("__")]
            return f"{len(topics)} topics"
        except KafkaError as error:
            raise NotReady(str(error)) from None
        finally:
            admin.close()
