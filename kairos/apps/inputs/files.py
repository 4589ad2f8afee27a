"""The files that commands are given: rule folders, events, profiles. What is wrong with a line of them is told on
standard error as `FILE:LINE: reason`; a file that cannot be used at all is an error of its use case.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path

from kairos.adapters.profiles.file import Profiles
from kairos.apps.inputs.moments import now
from kairos.apps.view.terminal import escape, progress_bar, quote, say
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet, Source
from kairos.usecases.events import BadLine, Events, read_people
from kairos.usecases.rules import lint

MOST_TOLD = 100
"""Lines of a file that are reported."""
MOST_ALIKE = 20
"""Of these, lines of one reason."""
_SHOWN = 120  # characters of a bad line that its report repeats


def valid_rules(folder: Path) -> tuple[RuleSet, Loaded]:
    return lint.valid_rules(folder, now())


def read_events(path: Path, sources: Mapping[str, Source] | None) -> Events:
    return Events(path, sources, bad_line_teller(), progress_bar)


def read_profiles(path: Path, declared: Mapping[str, str] | None) -> Profiles:
    return read_people(path, declared, partial(tell_strange, path))


def tell_strange(path: Path | None, problem: str) -> None:
    """A value of the profiles' file that is not as expected."""
    say(f"{escape(str(path))}: {quote(problem)}")


def bad_line_teller() -> Callable[[BadLine], None]:
    """Of one file: where a whole file is of another kind, its first lines say so, and the rest is counted. `numbers`
    counts lines that say something new, `alike` those of one reason."""
    numbers, alike = count(1), Counter[str]()

    def tell(bad: BadLine) -> None:
        reason = bad.reason if bad.kind == "invalid" else bad.kind
        if alike[reason] > MOST_ALIKE:
            return
        number = next(numbers)
        alike[reason] += 1
        if number <= MOST_TOLD and alike[reason] > MOST_ALIKE:
            what = quote(bad.reason) if bad.kind == "invalid" else "repetitions of events"
            say(f"{escape(bad.file)}: {what}: more lines are left out for this; they are only counted")
        elif number <= MOST_TOLD:
            _tell_bad_line(bad)
        elif number == MOST_TOLD + 1:
            say(f"{escape(bad.file)}: more than {MOST_TOLD} lines are left out; the others are only counted")

    return tell


def _tell_bad_line(bad: BadLine) -> None:
    if bad.kind == "duplicate":
        text = f"a repetition of event {quote(bad.reason, 80)}, left out"
    else:
        text = f"{quote(bad.reason)}: {quote(bad.content, _SHOWN)}"
    sys.stderr.write(f"{escape(bad.file)}:{bad.line}: {text}\n")
