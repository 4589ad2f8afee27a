"""A server over HTTP: its socket, opened before it starts so that a port that is taken is said plainly; its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


class Server(uvicorn.Server):
    """Ends when `stop` is called. uvicorn's own handler would raise the signal once more, before all is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Requests under way are finished."""
        self.should_exit = True


def listen(host: str, port: int, backlog: int = 128) -> socket.socket:
    """Raises OSError where the port is taken."""
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=backlog
    )
    # asyncio does this only for sockets that it opened; without it an answer waits 40 ms for the client's TCP
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
