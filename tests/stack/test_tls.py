"""Redis and MariaDB over TLS: a certificate that can be checked is taken, any other is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from kairos.adapters.identity import IdentityAwayError, RedisIdentity
from kairos.adapters.profiles import ProfilesUnreachableError, check_profiles
from kairos.adapters.rule_store import RuleStoreError, open_rule_store
from kairos.apps.native.group import Group
from kairos.apps.stack.mariadb import MariaDbService
from kairos.apps.stack.redis import RedisService
from kairos.apps.stack.settings import StackSettings
from kairos.engine.normalise import Claim
from tests.conftest import free_ports
from tests.unit.rule_store_contract import release

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


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


Start = Callable[[RedisService | MariaDbService, list[str]], None]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(service, more)`: with these arguments beside its own."""
    running: list[Group] = []

    def up(service: RedisService | MariaDbService, more: list[str]) -> None:
        command = [*service.command(), *more]
        service.command = lambda: command  # type: ignore[method-assign]
        group = Group(tmp_path / "stack", [service])
        running.append(group)
        group.up()

    yield up
    for group in running:
        group.down()


def settings(folder: Path) -> StackSettings:
    redis_port, mariadb_port = free_ports(2)
    (folder / "stack").mkdir(exist_ok=True)
    return StackSettings(folder=folder / "stack", redis_port=redis_port, mariadb_port=mariadb_port)


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
