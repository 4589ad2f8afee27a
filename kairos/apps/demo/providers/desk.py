"""The books of one provider: what it has taken, which addresses it refuses, how the next calls fail."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import msgspec

Kind = Literal["fine", "slow", "limited", "error", "cut", "dropped", "garbled", "expired", "refused"]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What befalls one call.

    `slow`: taken, but the answer never comes. `limited`: 429, with Retry-After of `after` seconds. `error`: 500. `cut`:
    taken, then the connection is cut. `dropped`: cut without having taken it. `garbled`: taken, the answer is no JSON.
    `expired`: the access token holds no longer. `refused`: with the provider's own `code`.
    """

    kind: Kind
    code: str | None = None
    after: int | None = None


FINE = Fault("fine")


class Taken(msgspec.Struct, frozen=True):
    """One call that the provider has accepted. `sent` is false for a repeat that its idempotency swallowed."""

    provider: str
    number: int
    key: str | None
    address: str | None
    provider_id: str
    sent: bool
    at: int
    message: dict[str, Any]


class Desk:
    """`repeats`: whether it tells a repeat by its key, and sends it once. `keep`: gets each line of the books.

    `now`: epoch ms.
    """

    def __init__(self, provider: str, repeats: bool, now: Callable[[], int], keep: Callable[[bytes], object]) -> None:
        self.provider = provider
        self.taken: list[Taken] = []
        self.faults: deque[Fault] = deque()
        self.refusals: dict[str, str] = {}
        self.report_status: str | None = None
        self.report_url: str | None = None
        self._repeats, self._now, self._keep = repeats, now, keep
        self._by_key: dict[str, Taken] = {}

    def next_fault(self) -> Fault:
        return self.faults.popleft() if self.faults else FINE

    def refusal(self, fault: Fault, address: str | None) -> str | None:
        """The provider's code where this call is refused."""
        return fault.code if fault.kind == "refused" else self.refusals.get(address or "")

    def take(self, key: str | None, address: str | None, message: dict[str, Any]) -> Taken:
        first = self._by_key.get(key or "")
        number = len(self.taken) + 1
        name = hashlib.sha256(f"{self.provider}/{number}/{key}".encode()).hexdigest()[:32]
        if first is not None and self._repeats:
            name = first.provider_id
        taken = Taken(
            self.provider, number, key, address, name, first is None or not self._repeats, self._now(), message
        )
        self.taken.append(taken)
        if key:
            self._by_key.setdefault(key, taken)
        self._keep(msgspec.json.encode(taken) + b"\n")
        return taken

    def find(self, key: str) -> Taken | None:
        return self._by_key.get(key)


def as_json(body: bytes) -> dict[str, Any]:
    """The body as an object; {} for anything else."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
