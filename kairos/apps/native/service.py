"""What each server of the stack tells about itself."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError


class NotReady(Exception):
    """The server does not answer its protocol yet; the message says what was seen."""


ANSWER_SECONDS, MOST_BYTES = 5.0, 1_000


def ask_ready(address: str) -> str:
    """What a process of Kairos says at `/ready`; `address`: host:port. Raises NotReady."""
    try:
        with urllib.request.urlopen(f"http://{address}/ready", timeout=ANSWER_SECONDS) as answer:
            said: str = answer.read(MOST_BYTES).decode("utf-8", "replace").strip()
            return "ready" if said == "ok" else said
    except HTTPError as error:  # 503 says in its body what is waited for
        said = error.read(MOST_BYTES).decode("utf-8", "replace").strip()
        raise NotReady(said or str(error)) from None
    except OSError as error:
        raise NotReady(str(error)) from None


class Service(Protocol):
    """`ports`: what it listens on, which must be free before a start."""

    name: str
    address: str
    ports: Sequence[int]
    folder: Path
    """Its data; also the working directory."""

    def prepare(self) -> None:
        """Makes the data folder and files that it starts from. Idempotent. Raises ServiceError."""

    def command(self) -> list[str]: ...

    def environment(self) -> dict[str, str]: ...

    def check(self) -> str:
        """Asks the server over its own protocol; returns a short detail for the status. Raises NotReady."""
