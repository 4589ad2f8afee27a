"""Where a URL that a user's profile names may lead: to the public internet, and to what the configuration allows.

A name is resolved once; what it resolves to is checked, and exactly that is connected to, so a name that changes its
mind in between changes nothing. Nothing of the caller's own network is reached: no loopback, no private range, no
metadata service of a cloud.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NoReturn

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from kairos.adapters.channels.options import ChannelSettingsError

IP = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
_FORMER_SITE_LOCAL = IPv6Network("fec0::/10")


class ForbiddenError(OSError):
    """The URL is none that users may name; the message does not hold it."""


class Reach:
    """`allowed`: networks (`10.1.0.0/16`), addresses, and names of hosts, beside the public internet."""

    def __init__(self, allowed: Iterable[str], place: str) -> None:
        """Raises ChannelSettingsError."""
        self._names, self._networks = set(), []
        for text in allowed:
            try:
                self._networks.append(ip_network(text))
            except ValueError:
                if not text or "/" in text or ":" in text:
                    raise ChannelSettingsError(
                        f"{place}: '{text}' is neither a network (10.1.0.0/16) nor the name of a host"
                    ) from None
                self._names.add(text.lower().rstrip("."))

    def names(self, host: str) -> bool:
        """Whether the host is allowed by its name, wherever that leads."""
        return host.lower().rstrip(".") in self._names

    def takes(self, address: str) -> bool:
        """Whether this IP address may be connected to."""
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(ip in network for network in self._networks) or all(map(_public, _meant(ip)))

    def resolver(self) -> AbstractResolver:
        """Of one event loop, in which this is called."""
        return _Resolver(self)

    def check_literal(self, host: str) -> None:
        """Of a host that is written as an IP address, which is never resolved. Raises ForbiddenError."""
        try:
            ip_address(host.strip("[]").partition("%")[0])
        except ValueError:
            return
        if not self.takes(host.strip("[]")):
            _refuse()


class _Resolver(AbstractResolver):
    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._names = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises ForbiddenError where nothing that it resolves to may be connected to."""
        found = await self._names.resolve(host, port, family)
        if self._reach.names(host):
            return found
        return [each for each in found if self._reach.takes(each["host"])] or _refuse()

    async def close(self) -> None:
        await self._names.close()


def _refuse() -> NoReturn:
    raise ForbiddenError("the URL leads to where no user's URL may lead")


def _meant(ip: IP) -> list[IP]:
    """The address, and those of IPv4 that are packed in it: a gateway on the way may unpack them."""
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None or ip in _NAT64:
        return [IPv4Address(int(ip) & 0xFFFF_FFFF)]
    return [ip, *(each for each in (ip.sixtofour, *(ip.teredo or ())) if each is not None)]


def _public(ip: IP) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip not in _FORMER_SITE_LOCAL
