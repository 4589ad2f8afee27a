"""The files that `simulate`, `explain` and `publish` read: events and profiles. What is wrong with them is reported on
standard error as `FILE:LINE: reason`; only a file that cannot be read at all ends the command.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from kairos.adapters.event_file import EventFile, open_events
from kairos.adapters.profile_file import ProfileFileError, Profiles, read_profiles
from kairos.apps.console import escape, fail, progress_bar, quote, reason_of, say
from kairos.engine.event import Event
from kairos.engine.event_schema import SchemaChecker
from kairos.engine.rule.model import Source

_SHOWN = 120  # characters of a bad line that its report repeats


class EventInput:
    """The events of a file, in its order. `problems` counts what was reported: `invalid` and `duplicate`."""

    def __init__(self, path: Path, sources: Mapping[str, Source] | None) -> None:
        self._name = "<stdin>" if str(path) == "-" else escape(str(path))
        self.problems: Counter[str] = Counter()
        self._file = EventFile(self._report_invalid, SchemaChecker(sources).check if sources is not None else None)
        try:
            total = path.stat().st_size if path.is_file() and path.suffix != ".gz" else None
            with open_events(path) as stream, progress_bar(f"reading {self._name}", total) as on_bytes:
                self._file.read(stream, on_bytes)
        except (OSError, EOFError) as error:
            fail(f"the events {self._name}: {reason_of(error)}")

    @property
    def events(self) -> list[Event]:
        return self._file.events

    def report_duplicate(self, index: int) -> None:
        self.problems["duplicate"] += 1
        event = self.events[index]
        self._report(self._file.lines[index], f"a repetition of event {quote(event.id, 80)}, left out")

    def _report_invalid(self, line: int, reason: str, content: bytes) -> None:
        self.problems["invalid"] += 1
        self._report(line, f"{quote(reason)}: {quote(content, _SHOWN)}")

    def _report(self, line: int, text: str) -> None:
        sys.stderr.write(f"{self._name}:{line}: {text}\n")


def read_profile_file(path: Path) -> Profiles:
    name = escape(str(path))
    try:
        return read_profiles(path, lambda problem: say(f"{name}: {quote(problem)}"))
    except (OSError, ProfileFileError) as error:
        fail(f"the profiles {name}: {reason_of(error) if isinstance(error, OSError) else quote(str(error))}")
