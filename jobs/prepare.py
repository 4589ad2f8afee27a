"""A bounded run's input: one file of JSON lines, sorted as `Event.order` says, with a timestamp in every row."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kairos.adapters.files.events import open_events
from kairos.engine.event import RECEIPT, Event, EventError, decode
from kairos.engine.schedule.due import line_of


class Row(msgspec.Struct):
    """`k`: the user, null for a line that is no event; such lines come first, at time 0. `v`: the line, in base64 as
    Flink's JSON format wants bytes. `place`: the line's number in the original file."""

    k: str | None
    ts: int
    v: str
    place: int


Told = Callable[[Sequence[Event]], Sequence[Event]]
"""The events of a file -> what Kairos itself adds to them: slots of the calendar, changes in catalogs."""


def prepare(events: Path, target: Path, told: Told = lambda _events: ()) -> tuple[int, list[Event]]:
    """Returns how many rows there are, and those that are receipts. Raises OSError, NotJsonLinesError.

    The file is held in memory. `place` of a row that is not of the file is 0.
    """
    found: list[Event] = []
    rows: list[tuple[tuple[int, str, int, str], int, str | None, bytes]] = []
    with open_events(events) as stream:
        for place, raw in enumerate(stream, 1):
            line = raw.rstrip(b"\r\n")
            if not line.strip():
                continue
            try:
                event = decode(line)
            except EventError:
                rows.append(((0, "", 0, ""), place, None, line))
            else:
                rows.append((event.order, place, event.user_id, line))
                found.append(event)
    rows += [(event.order, 0, event.user_id, line_of(event)) for event in told(found)]
    rows.sort(key=lambda row: row[:2])
    encode = msgspec.json.Encoder().encode
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for order, place, user, line in rows:
            out.write(encode(Row(user, order[0], b64encode(line).decode(), place)) + b"\n")
    return len(rows), [event for event in found if event.type == RECEIPT]
