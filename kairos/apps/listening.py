"""The socket of a server, opened before the server starts: so that a port that is taken is said plainly."""

from __future__ import annotations

import socket


def listen(host: str, port: int, backlog: int = 128) -> socket.socket:
    """Raises OSError where the port is taken."""
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=backlog
    )
    # asyncio does this only for sockets that it opened; without it an answer waits 40 ms for the client's TCP
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
