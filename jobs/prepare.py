"""A bounded run's input: one file of JSON lines, sorted by (time, source, id), with a timestamp in every row."""

from __future__ import annotations

import gzip
from base64 import b64encode
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from kairos.engine.event import RECEIPT, Event, EventError, decode


class Row(msgspec.Struct):
    """`k`: the user, null for a line that is no event; such lines come first, at time 0. `v`: the line, in base64 as
    Flink's JSON format wants bytes. `place`: the line's number in the original file."""

    k: str | None
    ts: int
    v: str
    place: int


def prepare(events: Path, target: Path) -> tuple[int, list[Event]]:
    """Returns how many rows there are, and those that are receipts. Raises OSError. The file is held in memory."""
    receipts: list[Event] = []
    rows: list[tuple[tuple[int, str, str], int, str | None, bytes]] = []
    with _open(events) as stream:
        for place, raw in enumerate(stream, 1):
            line = raw.rstrip(b"\r\n")
            if not line.strip():
                continue
            try:
                event = decode(line)
            except EventError:
                rows.append(((0, "", ""), place, None, line))
            else:
                rows.append((event.order, place, event.user_id, line))
                if event.type == RECEIPT:
                    receipts.append(event)
    rows.sort(key=lambda row: row[:2])
    encode = msgspec.json.Encoder().encode
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for order, place, user, line in rows:
            out.write(encode(Row(user, order[0], b64encode(line).decode(), place)) + b"\n")
    return len(rows), receipts


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
