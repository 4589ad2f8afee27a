"""The contract of the topics: key = user, timestamp = event time, value = an envelope that its source declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kairos.engine.event import Event, EventError, decode
from kairos.engine.rule.model import Source
from kairos.engine.source.schema import check_of


class Contract:
    """`clock`: epoch seconds; None: the past is played. `ahead`: ms that an event may be ahead of the clock."""

    def __init__(self, clock: Callable[[], float] | None, ahead: int) -> None:
        self._clock = clock
        self._ahead = ahead
        self._check: Callable[[Event], None] = check_of(None)

    def expect(self, sources: Mapping[str, Source] | None) -> None:
        """What the sources declare from now on; None: anything goes."""
        self._check = check_of(sources)

    def accept(self, key: str | None, line: bytes | None, timestamp: int) -> Event:
        """Raises EventError for a record that breaks the contract."""
        if line is None:
            raise EventError("no_value", "the record has no value: in a topic of events it deletes nothing")
        event = decode(line)
        if key != event.user_id:
            raise EventError("wrong_key", "the record's key is not the event's user_id")
        if self._clock is not None and event.time > self._clock() * 1000 + self._ahead:
            raise EventError("future", "the event is further ahead of the clock than limits.ahead allows")
        if timestamp != event.time:
            message = f"the record's timestamp {timestamp} is not the event's time {event.time}"
            raise EventError("wrong_timestamp", message)
        self._check(event)
        return event
