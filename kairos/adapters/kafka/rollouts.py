"""What the topics say of versions that are rolled out: what was decided under them, and what became of it."""

from __future__ import annotations

import msgspec

from kairos.adapters.kafka.tail import Tail
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.engine.topics import DECISIONS, RECEIPTS


class Decided(msgspec.Struct):
    """Of a decision record, what is asked of it."""

    activity: str = ""
    version: str = ""
    user_id: str = ""
    occurrence: str = ""
    outcome: str = ""
    reason: str | None = None
    rollout: bool = False


class Became(msgspec.Struct):
    """Of a receipt. An occurrence is told from others within its user."""

    activity: str = ""
    occurrence: str = ""
    attempt: int = 1
    status: str = ""
    user_id: str = ""


class _Receipt(msgspec.Struct):
    user_id: str = ""
    props: Became = msgspec.field(default_factory=Became)


_ROLLED_OUT = b'"rollout":true'


class KafkaRollouts:
    """One thread."""

    def __init__(self, kafka: KafkaAddress) -> None:
        """Nothing is connected yet. Raises SettingsError for options it cannot honour."""
        self._tail = Tail(kafka, [DECISIONS, RECEIPTS])
        self._decision = msgspec.json.Decoder(Decided).decode
        self._receipt = msgspec.json.Decoder(_Receipt).decode

    def read(self, since: int) -> tuple[list[Decided], list[Became]]:
        """What has come since the last call; the first one begins at `since` (epoch ms). Raises
        KafkaUnreachableError."""
        decided, became = list[Decided](), list[Became]()
        for topic, message in self._tail.read(since):
            value = message.value or b""
            try:
                if topic == RECEIPTS:
                    receipt = self._receipt(value)
                    became.append(msgspec.structs.replace(receipt.props, user_id=receipt.user_id))
                elif _ROLLED_OUT in value:
                    decided.append(self._decision(value))
            except msgspec.DecodeError:
                continue  # a heartbeat, or what is none of ours
        return decided, became

    def restart(self) -> None:
        """Forgets what was read: the next `read` begins anew."""
        self._tail.close()
