"""Records that were deleted from a topic before somebody had read them: the retention was too short, or he too slow."""

from __future__ import annotations

import msgspec

from kairos.engine.dead_letter import dead_letter

REASON = "lost"
"""Of the dead letter that tells it; its value is the `Loss`, in JSON."""


class Loss(msgspec.Struct, frozen=True, tag=REASON):
    """Of one partition the records `first` to `last` (offsets), which the consumer group had not read."""

    group: str
    topic: str
    partition: int
    first: int
    last: int

    @property
    def told(self) -> str:
        """`records 5 to 17 of events.shop/0 were deleted before kairos had read them`"""
        place = f"{self.topic}/{self.partition}"
        return f"records {self.first} to {self.last} of {place} were deleted before {self.group} had read them"

    def letter(self, now: int) -> bytes:
        """`now`: epoch ms."""
        place = f"{self.topic}/{self.partition}@{self.first}"
        value = msgspec.json.encode(self)
        return dead_letter(REASON, self.told, place, now, None, value, len(value))


def loss_of(value: bytes) -> Loss | None:
    """What a dead letter tells of a loss; None: it is about something else."""
    try:
        return msgspec.json.decode(value, type=Loss)
    except ValueError:
        return None
