"""What the topic `receipts` says of activities' messages, counted from a moment on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from kairos.adapters.kafka.tail import Tail
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.topics import RECEIPTS


class Outcomes(NamedTuple):
    """How many attempts went, and how many failed."""

    sent: int = 0
    failed: int = 0


class _Props(msgspec.Struct):
    activity: str = ""
    status: str = ""


class _Receipt(msgspec.Struct):
    props: _Props = msgspec.field(default_factory=_Props)


IDLE = 60_000
"""A run that nobody has asked about for so long (ms) is over."""


@dataclass
class _Run:
    """What was heard of it, and when it was asked about (epoch ms)."""

    asked: int
    sent: int = 0
    failed: int = 0


class KafkaReceipts:
    """Counts for the runs that are asked about: an activity from a moment on. One thread."""

    def __init__(self, kafka: KafkaAddress) -> None:
        """Nothing is connected yet. Raises SettingsError for options it cannot honour."""
        self._tail = Tail(kafka, [RECEIPTS])
        self._decode = msgspec.json.Decoder(_Receipt).decode
        self._runs: dict[tuple[str, int], _Run] = {}

    def of(self, activity: str, since: int, now: int) -> Outcomes:
        """What was said of the activity's messages since then (epoch ms). Raises KafkaUnreachableError."""
        if (activity, since) not in self._runs or not self._tail.is_open:
            lasting = {run: _Run(heard.asked) for run, heard in self._runs.items() if now - heard.asked <= IDLE}
            self._runs = {**lasting, (activity, since): _Run(now)}
            self._tail.close()
        for _, message in self._tail.read(min(begun for _, begun in self._runs)):
            self._hear(message)
        run = self._runs[activity, since]
        run.asked = now
        return Outcomes(run.sent, run.failed)

    def close(self) -> None:
        self._tail.close()

    def _hear(self, message: Any) -> None:
        try:
            props = self._decode(message.value or b"").props
        except msgspec.DecodeError:
            return  # a heartbeat, or what is none of ours
        for (activity, since), run in self._runs.items():
            if activity == props.activity and message.timestamp >= since:
                run.sent += props.status == "sent"
                run.failed += props.status == "failed"
