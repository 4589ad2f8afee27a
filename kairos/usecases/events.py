"""What is played: events of a file, and profiles. What is wrong with a line is reported, and the line left out."""

from __future__ import annotations

import gc
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from kairos.adapters.files.events import EventFile, NotJsonLinesError, open_events
from kairos.adapters.profiles.file import ProfileFileError, Profiles, read_profiles
from kairos.engine.event import Event
from kairos.engine.rule.model import Source
from kairos.engine.source.schema import check_of
from kairos.usecases.errors import InputError, reason_of
from kairos.usecases.progress import Progress, silent

STDIN = "<stdin>"


class BadLine(msgspec.Struct, frozen=True):
    """A line of the events' file that does not count. `line` from 1; `content`: the line, or its beginning."""

    file: str
    line: int
    kind: Literal["invalid", "duplicate"]
    reason: str
    content: bytes = b""


Report = Callable[[BadLine], object]


class Given(Protocol):
    """Events in their order, from wherever `name` says; `duplicate` hears the index of each that repeats another."""

    @property
    def name(self) -> str: ...
    @property
    def all(self) -> Sequence[Event]: ...
    def duplicate(self, index: int) -> None: ...


class Events:
    """The events of a file, in its order. `problems` counts what was left out: `invalid`, `duplicate`, `later`."""

    def __init__(
        self, path: Path, sources: Mapping[str, Source] | None, report: Report, progress: Progress = silent
    ) -> None:
        """`sources`: what events are checked against; None: they are not. Raises InputError."""
        self.name = STDIN if str(path) == "-" else str(path)
        self.problems: Counter[str] = Counter()
        self._report = report
        self._file = EventFile(self._invalid, check_of(sources))
        try:
            total = path.stat().st_size if path.is_file() and path.suffix != ".gz" else None
            with open_events(path) as stream, progress(f"reading {self.name}", total) as on_bytes:
                self._file.read(stream, on_bytes)
        except (OSError, EOFError) as error:
            raise InputError("the events", self.name, reason_of(error)) from None
        except NotJsonLinesError as error:
            raise InputError("the events", self.name, str(error), " are ") from None

    @property
    def all(self) -> list[Event]:
        """In the order of the file."""
        return self._file.events

    def leave_out_after(self, end: int) -> None:
        """Events later than this moment (epoch ms) count as not there."""
        kept = [index for index, event in enumerate(self.all) if event.time <= end]
        self.problems["later"] = len(self.all) - len(kept)
        self._file.lines = array("L", (self._file.lines[index] for index in kept))
        self._file.events = [self.all[index] for index in kept]

    def duplicate(self, index: int) -> None:
        """The event at this index repeats another one: the engine drops it, here it is reported."""
        self.problems["duplicate"] += 1
        self._report(BadLine(self.name, self._file.lines[index], "duplicate", self.all[index].id))

    def _invalid(self, line: int, reason: str, content: bytes) -> None:
        self.problems["invalid"] += 1
        self._report(BadLine(self.name, line, "invalid", reason, content))


def read_people(path: Path, declared: Mapping[str, str] | None, report: Callable[[str], None]) -> Profiles:
    """Profiles by user id. `declared`: the fields of profile.yaml and their types; None: there is none. `report` hears
    what is wrong with single values. Raises InputError."""
    try:
        return read_profiles(path, report, declared)
    except (OSError, ProfileFileError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise InputError("the profiles", str(path), reason) from None


@contextmanager
def many_objects() -> Iterator[None]:
    """While millions of events are read: they have no cycles, so looking for some would only cost time. What is there
    at the end is never looked at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
