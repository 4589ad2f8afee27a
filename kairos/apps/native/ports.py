"""Ports of this machine that nobody listens on."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

LOWEST = 12_000
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """Below those that the kernel takes for outgoing connections: a server that is down for a while, or not yet up,
    must not find one of them on its port."""
    end = int(OUTGOING.read_text().split()[0]) if OUTGOING.exists() else 32_768
    candidates = list(range(LOWEST, max(end, LOWEST + 10_000)))
    found: list[int] = []
    random.SystemRandom().shuffle(candidates)  # two runs of one seed must not choose the same ones
    while len(found) < count:
        port = candidates.pop()
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            found.append(port)
    return found
