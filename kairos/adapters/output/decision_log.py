"""What the job decided and handed over, read back as a whole: from the output folder of a run, or from Kafka."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

import msgspec

from kairos.adapters.decoding import Unreadable
from kairos.adapters.files.run_folder import decoded, topics_in
from kairos.engine.decision import Record
from kairos.engine.loss import Loss
from kairos.engine.topics import DECISIONS, DELIVERIES
from kairos.errors import KairosError

NEVER = 2**62
"""A time after all others, in ms."""


LAST = 253_402_300_799_999
"""The last moment (epoch ms) of the calendar: what is dated later is no record of ours."""


class Decided(NamedTuple):
    """`origin`: FILE:LINE in the run's folder, or topic/partition@offset. `digest`: equal where the whole record is."""

    record: Record
    digest: bytes
    origin: str


_Time = Annotated[int, msgspec.Meta(ge=0, le=LAST)]


class HandedOver(msgspec.Struct):
    """What is asked of a delivery: what it is, and from when until when (epoch ms) it may be sent. A recall, in the
    same topic, has no `send_before`."""

    activity: str = ""
    user_id: str = ""
    occurrence: str = ""
    attempt: Annotated[int, msgspec.Meta(ge=1, lt=2**31)] = 1
    send_before: _Time | None = None
    not_before: _Time | None = None
    at: _Time | None = None
    channel: str | None = None
    version: str | None = None
    template: str | None = None


class DecisionLog(Protocol):
    """`place`: where it is, for people. Raises DecisionLogError from both methods.

    Records that cannot be read are passed over, and told in `unreadable`. What was decided on trial is none of it.

    After `decisions`: none is missing of those from `complete_since` on (epoch ms; what is older may be deleted) until
    `complete_until` (what is younger may stand in a transaction that is not committed yet).
    """

    place: str
    complete_since: int
    complete_until: int
    unreadable: Unreadable

    def decisions(self) -> Iterator[Decided]: ...

    def deliveries(self) -> Iterator[HandedOver]: ...

    def losses(self) -> Iterator[Loss]:
        """What was deleted before somebody had read it, each once."""
        ...


class DecisionLogError(KairosError):
    """The log cannot be read; the message says where and why."""


class Kept(Record):
    """A decision as it is read back: with numbers that decisions have."""

    def __post_init__(self) -> None:
        """Raises ValueError, of which msgspec makes its own."""
        if not 0 <= self.at <= LAST or not 1 <= (self.attempt or 1) < 2**31:
            raise ValueError("its time or attempt is out of range")


def digest_of(record: Record) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(record), digest_size=12).digest()


class FolderLog:
    """The output of a run on files. Raises RunFolderError, also when opened, and OSError."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self.complete_since, self.complete_until = 0, NEVER
        self.unreadable = Unreadable()
        self._topics = topics_in(folder)

    def decisions(self) -> Iterator[Decided]:
        for origin, record in decoded(DECISIONS, self._topics[DECISIONS], Kept, self.unreadable):
            if not record.shadow:
                yield Decided(record, digest_of(record), origin.removeprefix(f"{self.place}/"))

    def deliveries(self) -> Iterator[HandedOver]:
        for topic, path in self._topics.items():
            if topic.startswith(DELIVERIES):
                for _, delivery in decoded(topic, path, HandedOver, self.unreadable):
                    if delivery.send_before is not None:
                        yield delivery

    def losses(self) -> Iterator[Loss]:
        """A file is read whole."""
        return iter(())
