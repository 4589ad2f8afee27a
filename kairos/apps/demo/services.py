"""What a demonstration runs: a stack of its own, stand-ins of providers, callbacks, workers, a bridge, and the job."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from kairos.apps.native.group import Group
from kairos.apps.native.ports import free_ports
from kairos.apps.native.service import NotReady
from kairos.apps.native.settings import data_folder
from kairos.apps.stack import Stack, StackSettings

PROVIDERS, CALLBACKS, WORKERS, BRIDGE, JOB = "providers", "callbacks", "workers", "bridge", "job"
SERVERS = ("kafka", "redis", "mariadb", "heartbeat")
SHORTER = {"timeout": "5s", "lease": "5s"}


class Program:
    """A module of ours as a service. `ready` returns a detail for the report, or raises NotReady."""

    ports: Sequence[int] = ()

    def __init__(self, name: str, folder: Path, address: str, words: Sequence[str], ready: Callable[[], str]) -> None:
        self.name, self.folder, self.address = name, folder, address
        self._words, self.check = words, ready

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return [sys.executable, "-m", *self._words]

    def environment(self) -> dict[str, str]:
        return {}


class Services:
    """Everything lies below `folder`, and listens on ports that were free when this was made.

    `bridge`: the words after `kairos bridge`, of one from RabbitMQ; none: there is neither the one nor the other.
    `up_stack`, `up_providers`, `write_conf` and `up_rest` are called in this order; all raise ServiceError.
    """

    def __init__(
        self, folder: Path, channels: Sequence[str], report: Callable[[str], None], bridge: Sequence[str] = ()
    ) -> None:
        kafka, controller, redis, mariadb, rabbitmq, self._callbacks, self._rest = free_ports(7)
        self.folder, self.channels, self._report, self._bridge = folder, channels, report, bridge
        self.conf, self.rules, self.desk = folder / "conf.yaml", folder / "rules", folder / "providers"
        self.stack = Stack(
            StackSettings(
                folder=folder / "stack",
                kafka_port=kafka,
                kafka_controller_port=controller,
                redis_port=redis,
                mariadb_port=mariadb,
                rabbitmq_port=rabbitmq,
                heartbeat_port=0,
            )
        )
        self._programs = Group(folder / "programs", self._all_programs())

    def up_stack(self) -> None:
        self.stack.up([*SERVERS, *(["rabbitmq"] if self._bridge else [])], self._report)

    def up_providers(self) -> None:
        self._programs.up([PROVIDERS], self._report)

    def up_rest(self) -> None:
        self._programs.up([name for name in self.programs if name != PROVIDERS], self._report)

    def down(self) -> None:
        """In any state, also that of an earlier run in the same folder."""
        self._programs.down(report=self._report)
        self.stack.down(report=self._report)

    @property
    def programs(self) -> list[str]:
        """Their names, in the order of starting."""
        return self._programs.names

    @property
    def http(self) -> str:
        """Where the stand-ins listen."""
        return str(self._opened()["http"])

    def write_conf(self) -> None:
        """One configuration for all programs; the ports of providers are known by now."""
        stack, state = self.stack.settings, self.folder / "state"
        options = self._opened()["options"]
        twilio = {**options["twilio"], "status_callback": self.callback_url("sms")}
        channels = {"wechat": {"provider": "wechat", **options["wechat"]}, "sms": {"provider": "twilio", **twilio}}
        conf = {
            "kafka": {"bootstrap": stack.kafka},
            "rules": {"store": str(self.rules)},
            "profiles": {"redis": stack.redis_url},
            "state": {"checkpoints": str(state / "checkpoints"), "savepoints": str(state / "savepoints")},
            "job": {"jars": [str(data_folder() / "jars" / "flink" / "*.jar")], "log_dir": str(self.folder / "log")},
            "bridge": {"rabbitmq": {"url": stack.rabbitmq_url}},
            "flink": {"rest.bind-port": str(self._rest)},
            "delivery": {
                "store": stack.mysql_url,
                "channels": {name: {**channels[name], **SHORTER} for name in self.channels},
            },
        }
        with self.conf.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(conf, file)

    def callback_url(self, channel: str) -> str:
        return f"http://127.0.0.1:{self._callbacks}/callbacks/{channel}"

    def logs(self) -> Path:
        """The folder with what every program says."""
        return self.folder / "programs"

    def _all_programs(self) -> list[Program]:
        conf, port = ["--conf", str(self.conf)], str(self._callbacks)
        workers = ["kairos", "deliver", *self.channels, *conf]
        bridge = ["kairos", "bridge", *self._bridge, *conf]
        programs = [
            self._program(PROVIDERS, ["kairos.apps.demo.providers", "--folder", str(self.desk)], self._providers_open),
            self._program(CALLBACKS, ["kairos", "callbacks", *conf, "--port", port], self._callbacks_answer),
            self._program(WORKERS, workers, self._heard(WORKERS, " at work,", len(self.channels))),
            self._program(BRIDGE, bridge, self._heard(BRIDGE, " is carried", 1)),
            self._program(JOB, ["kairos", "run", *conf], self._heard(JOB, " is running", 1)),
        ]
        return [program for program in programs if program.name != BRIDGE or self._bridge]

    def _program(self, name: str, words: list[str], ready: Callable[[], str]) -> Program:
        return Program(name, self.folder, "this machine", words, ready)

    def _opened(self) -> dict[str, Any]:
        opened: dict[str, Any] = msgspec.json.decode((self.desk / "providers.json").read_bytes())
        return opened

    def _providers_open(self) -> str:
        if not (self.desk / "providers.json").exists():
            raise NotReady("the stand-ins do not listen yet")
        return f"WeChat's and Twilio's stand-ins at {self.http}"

    def _callbacks_answer(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._callbacks, timeout=2)
        try:
            connection.request("GET", "/ready")
            connection.getresponse().read()
        except OSError as error:
            raise NotReady(str(error)) from None
        finally:
            connection.close()
        return f"port {self._callbacks}"

    def _heard(self, name: str, words: str, times: int) -> Callable[[], str]:
        """Ready once its log has said so."""

        def check() -> str:
            log = self.logs() / f"{name}.log"
            said = log.read_text(errors="replace").count(words) if log.exists() else 0
            if said < times:
                raise NotReady(f"has said '{words.strip()}' {said} times, of {times}")
            return ""

        return check
