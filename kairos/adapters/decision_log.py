"""What the job decided and handed over, read back as a whole: from the output folder of a run, or from Kafka."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from kairos.adapters.run_folder import DECISIONS, DELIVERIES, decoded, topics_in
from kairos.engine.decision import Record

NEVER = 2**62
"""A time after all others, in ms."""


class Decided(NamedTuple):
    """`origin`: FILE:LINE in the run's folder, or topic/partition@offset. `digest`: equal where the whole record is."""

    record: Record
    digest: bytes
    origin: str


class HandedOver(msgspec.Struct):
    """What is asked of a delivery: until when (epoch ms) it may be sent. A recall, in the same topic, has no such."""

    activity: str = ""
    user_id: str = ""
    occurrence: str = ""
    attempt: int = 1
    send_before: int | None = None


class DecisionLog(Protocol):
    """`place`: where it is, for people. Raises DecisionLogError from both methods.

    After `decisions`: none is missing of those from `complete_since` on (epoch ms; what is older may be deleted) until
    `complete_until` (what is younger may stand in a transaction that is not committed yet).
    """

    place: str
    complete_since: int
    complete_until: int

    def decisions(self) -> Iterator[Decided]: ...

    def deliveries(self) -> Iterator[HandedOver]: ...


class DecisionLogError(Exception):
    """The log cannot be read; the message says where and why."""


def digest_of(record: Record) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(record), digest_size=12).digest()


class FolderLog:
    """The output of a run on files. Raises RunFolderError, also when opened, and OSError."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self.complete_since, self.complete_until = 0, NEVER
        self._topics = topics_in(folder)

    def decisions(self) -> Iterator[Decided]:
        for origin, record in decoded(self._topics[DECISIONS], Record):
            yield Decided(record, digest_of(record), origin.removeprefix(f"{self.place}/"))

    def deliveries(self) -> Iterator[HandedOver]:
        for topic, path in self._topics.items():
            if topic.startswith(DELIVERIES):
                for _, delivery in decoded(path, HandedOver):
                    if delivery.send_before is not None:
                        yield delivery
