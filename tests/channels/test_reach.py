"""Where a user's own URL may lead: what it resolves to is checked, and exactly that is connected to."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp.resolver import ThreadedResolver

from kairos.adapters.channels.channel import Accepted, Outcome, Rejected
from kairos.adapters.channels.options import is_loopback
from kairos.adapters.channels.providers import ChannelSettingsError, open_channel
from kairos.adapters.channels.reach import Reach
from tests.channels.channel_kit import House, message

OURS = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "not an address",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", OURS)
def test_nothing_of_our_own_network(address: str) -> None:
    assert not Reach([], "x").takes(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet(address: str) -> None:
    assert Reach([], "x").takes(address)


def test_what_is_allowed_is_allowed_and_no_more() -> None:
    reach = Reach(["10.1.0.0/16", "192.168.1.7", "hooks.internal"], "x")
    assert [reach.takes(ip) for ip in ("10.1.9.9", "192.168.1.7", "10.2.0.1", "192.168.1.8")] == [
        True,
        True,
        False,
        False,
    ]
    assert reach.names("Hooks.Internal.")
    assert not reach.names("hooks.internal.attacker.example")


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "", "http://x", "10.0.0.0/99"])
def test_what_is_neither_a_network_nor_a_host(entry: str) -> None:
    with pytest.raises(ChannelSettingsError, match=r"x\.allow: "):
        Reach([entry], "x.allow")


@pytest.mark.parametrize(
    "host", ["127.attacker.example", "127.0.0.1.attacker.example", "localhost.attacker.example", "2130706433"]
)
def test_a_name_that_looks_like_loopback_is_none(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "https://[::1]:{port}/",
        "https://0x7f.1:{port}/",
        "https://2130706433:{port}/",
    ],
)
def test_a_user_s_url_does_not_reach_this_machine(url: str) -> None:
    """Nobody may even knock: the port that listens here hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = url.format(port=listener.getsockname()[1])
        outcome = _send(address)
        assert isinstance(outcome, Rejected)
        assert outcome.reason.startswith("the URL ")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_name_that_leads_here_is_refused_and_one_that_changes_its_mind_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def resolve(self: Any, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        asked.append(host)
        ip = "127.0.0.1" if len(asked) > 1 else "10.0.0.7"
        return [{"hostname": host, "host": ip, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)
    assert isinstance(_send("https://rebind.attacker.example/x"), Rejected)
    assert asked == ["rebind.attacker.example"]


def test_of_what_a_name_resolves_to_only_the_public_part_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(self: Any, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        return [{"hostname": host, "host": ip, "port": port} for ip in ("10.0.0.7", "8.8.8.8", "::1")]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)

    async def resolved(host: str, *allowed: str) -> list[str]:
        resolver = Reach(allowed, "x").resolver()
        return [each["host"] for each in await resolver.resolve(host, 443)]

    assert asyncio.run(resolved("a.example")) == ["8.8.8.8"]
    assert asyncio.run(resolved("a.example", "a.example")) == ["10.0.0.7", "8.8.8.8", "::1"]


def test_through_the_allow_list_it_is_reached(providers: House) -> None:
    desk = providers.desk("webhook")
    url = f"{providers.opened.http}/webhook"
    (outcome,) = providers.send("webhook", message(address=url), url=None, allow=["127.0.0.1"])
    assert isinstance(outcome, Accepted)
    assert len(desk.taken) == 1


def test_an_address_does_not_name_apprise_s_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", "json://{address}/x")
    with pytest.raises(ChannelSettingsError, match="may not stand where the URL names the server"):
        open_channel("apprise", {"url": {"env": "URL"}}, timeout=1_000, place="x")


def _send(address: str) -> Outcome:
    async def run() -> Outcome:
        channel = open_channel("webhook", {"secret": {"env": "HOOK"}}, timeout=5_000, place="x")
        try:
            return await channel.send(message(address=address))
        finally:
            await channel.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOOK", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAA")
        return asyncio.run(run())
