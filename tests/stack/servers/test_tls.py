"""Kafka, Redis and MariaDB over TLS: a certificate that can be checked is taken, any other is refused."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from jobs.checks import StartError, check
from jobs.settings import load as load_job
from kairos.adapters.kafka.topics import create_topics
from kairos.adapters.profiles.identity import IdentityAwayError, RedisIdentity
from kairos.adapters.profiles.opening import check_profiles
from kairos.adapters.profiles.redis import ProfilesUnreachableError
from kairos.adapters.rules.store import RuleStoreError, open_rule_store
from kairos.apps.native.group import Group
from kairos.apps.native.ports import free_ports
from kairos.apps.stack.kafka import KafkaService
from kairos.apps.stack.mariadb import MariaDbService
from kairos.apps.stack.redis import RedisService
from kairos.apps.stack.settings import StackSettings
from kairos.engine.source.normalise import Claim
from tests.access.gateway.gateway_process import eventually, read_all
from tests.unit.adapters.rule_store_contract import release

pytestmark = pytest.mark.stack


class Keys:
    """A certificate for 127.0.0.1, of an authority that nobody knows but us; and another authority."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        self.authority, self.stranger = folder / "ca.pem", folder / "other.pem"
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        trustme.CA().cert_pem.write_to_path(str(self.stranger))
        issued.cert_chain_pems[0].write_to_path(str(self.certificate))
        issued.private_key_pem.write_to_path(str(self.key))
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        both = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + issued.cert_chain_pems[0].bytes()
        self.store = folder / "store.pem"  # Java reads no other form of a key
        self.store.write_bytes(both)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


Server = KafkaService | RedisService | MariaDbService
Start = Callable[[Server, list[str]], None]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """`start(service, more)`: with these arguments beside its own."""
    running: list[Group] = []

    def up(service: Server, more: list[str]) -> None:
        command = [*service.command(), *more]
        service.command = lambda: command  # type: ignore[method-assign]
        group = Group(tmp_path_factory.mktemp(service.name), [service])
        running.append(group)
        group.up()

    yield up
    for group in running:
        group.down()


def settings(folder: Path) -> StackSettings:
    redis_port, mariadb_port, kafka_port, controller = free_ports(4)
    (folder / "stack").mkdir(exist_ok=True)
    return StackSettings(
        folder=folder / "stack",
        redis_port=redis_port,
        mariadb_port=mariadb_port,
        kafka_port=kafka_port,
        kafka_controller_port=controller,
    )


def test_redis(keys: Keys, start: Start, tmp_path: Path) -> None:
    own = settings(tmp_path)
    (port,) = free_ports(1)
    options = ["--tls-port", str(port), "--tls-cert-file", str(keys.certificate), "--tls-key-file", str(keys.key)]
    start(RedisService(own), [*options, "--tls-ca-cert-file", str(keys.authority), "--tls-auth-clients", "no"])
    address = f"rediss://127.0.0.1:{port}/0"
    check_profiles(f"{address}?ssl_ca_certs={keys.authority}", None)
    for unknown in (address, f"{address}?ssl_ca_certs={keys.stranger}"):
        with pytest.raises(ProfilesUnreachableError, match="certificate verify failed"):
            check_profiles(unknown, None)

    async def users(url: str) -> dict[Claim, str]:
        identity = RedisIdentity(url)
        try:
            return await identity.users([Claim("device_id", "d1")])
        finally:
            await identity.close()

    assert asyncio.run(users(f"{address}?ssl_ca_certs={keys.authority}")) == {}
    with pytest.raises(IdentityAwayError, match="certificate verify failed"):
        asyncio.run(users(address))


def test_mariadb(keys: Keys, start: Start, tmp_path: Path) -> None:
    own = settings(tmp_path)
    start(MariaDbService(own), [f"--ssl-cert={keys.certificate}", f"--ssl-key={keys.key}"])
    checked = "ssl_check_hostname=true"
    open_rule_store(f"{own.mysql_url}?ssl_ca={keys.authority}&{checked}").publish(release(1), {}, "ann")
    with pytest.raises(RuleStoreError, match="certificate verify failed"):
        open_rule_store(f"{own.mysql_url}?ssl_ca={keys.stranger}&{checked}").latest(0)


@pytest.fixture(scope="module")
def kafka(keys: Keys, start: Start, tmp_path_factory: pytest.TempPathFactory) -> StackSettings:
    """Kafka with a plain listener, which only the test uses, and one over TLS, at the port of `redis_port`."""
    own = settings(tmp_path_factory.mktemp("broker"))
    ports = {"PLAINTEXT": own.kafka_port, "SSL": own.redis_port, "CONTROLLER": own.kafka_controller_port}
    listeners = ",".join(f"{name}://{own.host}:{port}" for name, port in ports.items())
    protocols = "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT"
    options = {
        "listeners": listeners,
        "listener.security.protocol.map": protocols,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": keys.store,
    }
    start(KafkaService(own), [word for key, value in options.items() for word in ("--override", f"{key}={value}")])
    return own


def write_conf(folder: Path, own: StackSettings, authority: Path) -> Path:
    """A job that reads `events.shop` and the receipts under its prefix, over TLS; a gateway beside it."""
    properties = {"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": str(authority)}
    section = {"bootstrap": f"{own.host}:{own.redis_port}", "prefix": "blue.", "properties": properties}
    section["events"] = r"shop\..*|blue\.receipts"
    gateway = {"port": 0, "sources": f"sqlite:///{folder}/control.db"}
    conf: Any = {"kafka": section, "gateway": gateway, "state": {"checkpoints": str(folder)}}
    path = folder / "conf.json"  # JSON is YAML
    path.write_text(json.dumps(conf))
    return path


@pytest.mark.parametrize("command", [["heartbeat"], ["gateway", "--heartbeat"]], ids=["heartbeat", "gateway"])
def test_heartbeats_go_where_the_job_reads(
    kafka: StackSettings, keys: Keys, tmp_path: Path, command: Sequence[str]
) -> None:
    read, others = ["shop.web", "blue.receipts"], ["events.web", "receipts"]
    create_topics(kafka.kafka, [*read, *others], 1)
    conf = write_conf(tmp_path, kafka, keys.authority)
    words = [sys.executable, "-m", "kairos", *command, "--conf", str(conf)]
    process = subprocess.Popen(words, env=dict(os.environ), stderr=subprocess.PIPE)
    try:
        for topic in read:
            records = eventually(lambda topic=topic: read_all(kafka.kafka, topic, keyless=True))
            assert {record["type"] for record in records} == {"heartbeat"}
        assert not any(read_all(kafka.kafka, topic, keyless=True) for topic in others)
    finally:
        process.terminate()
        process.communicate()


def test_the_job_makes_its_topics(kafka: StackSettings, keys: Keys, tmp_path: Path) -> None:
    check(load_job(write_conf(tmp_path, kafka, keys.authority)))
    made = {"blue.receipts", "blue.decisions", "blue.deliveries.sms"}
    assert create_topics(kafka.kafka, made, 1) == [], "it had not made them"
    with pytest.raises(StartError, match="does not answer as Kafka does"):
        check(load_job(write_conf(tmp_path, kafka, keys.stranger)))
