"""The event envelope: what every source is normalised to.

`docs/events.md` describes the wire format. `decode` is the only way from bytes to an `Event`, in the job, in
`kairos simulate` and in the access layer alike.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One thing that a user did.

    `time` is event time in epoch milliseconds. `source` is "" where there is no sources.yaml and the line names none.
    Events kept inside a user's state carry an empty `user_id` (the state belongs to one user) and only the props that
    some expression reads.
    """

    id: str
    type: str
    time: int
    source: str
    props: dict[str, Any]
    user_id: str = ""

    @property
    def order(self) -> tuple[int, str, str]:
        """Equal times keep a fixed order."""
        return (self.time, self.source, self.id)


class EventError(Exception):
    """A line that is not an event. `reason` is the name of its counter and dead letter, e.g. `not_json`, `too_large`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
