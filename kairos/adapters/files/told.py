"""Events of Kairos itself, written behind those of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kairos.engine.event import Event
from kairos.engine.schedule.due import line_of


class ToldInFile:
    """The file is made where it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tell(self, events: Sequence[Event]) -> None:
        """Appends the events. Raises OSError."""
        with self._path.open("ab") as stream:
            stream.writelines(line_of(event) + b"\n" for event in events)

    def close(self) -> None:
        """Does nothing: no file is kept open."""
