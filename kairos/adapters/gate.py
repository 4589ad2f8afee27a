"""Between two processes: one makes ready and waits, the other says when to begin. Each learns of the other's death."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import msgspec

GATE = "KAIROS_GATE"
"""In the environment of whoever has to wait: port and key of the gate."""
LOADING = "kairos: load Python"
"""Name of the job that whoever waits may run before it is ready. It ends by itself, and decides nothing."""
LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.1
HELLO_SECONDS = 5.0


class Start(msgspec.Struct, frozen=True):
    """How to begin. `savepoint`: to go on from. `take_over`: without waiting for the lease of the job before."""

    savepoint: str
    take_over: bool


class Gate:
    """Of the one who says when. It is shut for good when its process ends."""

    def __init__(self) -> None:
        self._key = secrets.token_hex(16)
        self._door = socket.create_server((LOOPBACK, 0))
        self._door.settimeout(POLL_SECONDS)
        self._waiting: socket.socket | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {GATE: f"{self._door.getsockname()[1]} {self._key}"}

    def reached(self, lives: Callable[[], bool]) -> bool:
        """Blocks until the other one is ready. False: it has ended before."""
        while self._waiting is None:
            try:
                visitor, _ = self._door.accept()
            except TimeoutError:
                if not lives():
                    return False
                continue
            self._greet(visitor)
        return True

    def _greet(self, visitor: socket.socket) -> None:
        visitor.settimeout(HELLO_SECONDS)
        try:
            known = secrets.compare_digest(_line(visitor), self._key.encode())
        except OSError:
            known = False
        if known:
            self._waiting = visitor
        else:
            visitor.close()

    def open(self, start: Start) -> None:
        """Lets the one who waits begin. Raises OSError where it has died meanwhile."""
        assert self._waiting is not None, "nobody has reached the gate"
        self._waiting.sendall(msgspec.json.encode(start) + b"\n")


def wait_at(gate: str) -> Start | None:
    """`gate`: what GATE has. None: whoever should say when has died."""
    port, _, key = gate.partition(" ")
    try:
        with socket.create_connection((LOOPBACK, int(port))) as connection:
            connection.sendall(f"{key}\n".encode())
            said = _line(connection)
    except OSError:
        return None
    return msgspec.json.decode(said, type=Start) if said else None


def _line(connection: socket.socket) -> bytes:
    """Without its end; empty where the other side has gone before."""
    with connection.makefile("rb") as stream:
        line = stream.readline()
    return line[:-1] if line.endswith(b"\n") else b""
