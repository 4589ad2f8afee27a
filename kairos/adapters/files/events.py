"""Events from a JSON Lines file (`.gz` too): every line that is one, and a report of every line that is not."""

from __future__ import annotations

import gzip
import sys
from array import array
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from msgspec.structs import force_setattr

from kairos.adapters.files.formats import other_format
from kairos.engine.event import Event, EventError, decode
from kairos.engine.strict_json import MAX_BYTES
from kairos.errors import KairosError

Report = Callable[[int, str, bytes], None]
"""Called with the line's number (from 1), what is wrong with it, and the line or its beginning."""

Check = Callable[[Event], None]
"""Raises EventError for an event that the sources do not declare."""

_LONGEST = MAX_BYTES + 3  # CR, LF, and one byte that shows that the line goes on
_TICK = 8192
_HEAD = 1 << 16


class EventFile:
    """The valid events of a file in its order; `lines` are the numbers of their lines, `invalid` counts the rest."""

    def __init__(self, report: Report, check: Check | None = None) -> None:
        self._report = report
        self._check = check
        self.events: list[Event] = []
        self.lines = array("L")
        self.invalid = 0

    def read(self, stream: BinaryIO, on_bytes: Callable[[int], object] | None = None) -> None:
        """Keeps all valid events; `on_bytes` hears now and then how far it got. Texts that repeat are kept once."""
        check = self._check
        same: dict[str, str] = {}
        keep = same.setdefault
        for number, line in lines_in(stream, self._refuse):
            try:
                event = decode(line)
                if check is not None:
                    check(event)
            except EventError as error:
                if line.strip(b"\xef\xbb\xbf \t\r"):  # a byte order mark alone is no line
                    self._refuse(number, error.message, line)
                continue
            force_setattr(event, "user_id", keep(event.user_id, event.user_id))
            force_setattr(event, "type", keep(event.type, event.type))
            force_setattr(event, "source", keep(event.source, event.source))
            self.events.append(event)
            self.lines.append(number)
            if on_bytes is not None and not number % _TICK:
                on_bytes(stream.tell())

    def _refuse(self, number: int, message: str, line: bytes) -> None:
        self.invalid += 1
        self._report(number, message, line)


def lines_in(stream: BinaryIO, refuse: Report) -> Iterator[tuple[int, bytes]]:
    """(number, line without its end). LF alone ends a line. What is too long is refused and not held in memory."""
    number = 0
    readline = stream.readline
    while line := readline(_LONGEST):
        number += 1
        if len(line) == _LONGEST and line[-1:] != b"\n":
            size = _skip_line(stream, line)
            refuse(number, f"{size} bytes; at most {MAX_BYTES} are taken", line)
            continue
        yield number, line.rstrip(b"\r\n")


def _skip_line(stream: BinaryIO, beginning: bytes) -> int:
    """Reads to the end of the line; how many bytes it has, without its end."""
    size, last = len(beginning), beginning
    while piece := stream.readline(_LONGEST):
        size += len(piece)
        last = last[-1:] + piece
        if piece.endswith(b"\n"):
            break
    return size - len(last) + len(last.rstrip(b"\r\n"))


class NotJsonLinesError(KairosError):
    """Says what the file is instead, and what to do."""


def open_events(path: Path) -> BinaryIO:
    """The file, unpacked if it is `.gz`; `-` is standard input. Raises OSError, NotJsonLinesError."""
    stream = _open(path)
    if other := other_format(stream.peek(_HEAD)):
        stream.close()
        raise NotJsonLinesError(other)
    return cast(BinaryIO, stream)


def _open(path: Path) -> BufferedReader:
    if str(path) == "-":
        return cast(BufferedReader, sys.stdin.buffer)
    if path.suffix == ".gz":
        return cast(BufferedReader, gzip.open(path, "rb"))  # it has a `peek` of the same kind
    return cast(BufferedReader, path.open("rb", buffering=1 << 20))
