"""`kairos compare`: what a change of rules would have done. Both sides play the same events, in two processes."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from kairos.adapters.rules.side import NamedRules
from kairos.engine.compare.report import Comparison, compare
from kairos.engine.compare.side import Side
from kairos.engine.compare.verdict import Verdict, verdicts
from kairos.engine.compare.warm_up import warm_up
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation, UserProfiles
from kairos.engine.rule.model import RuleSet
from kairos.usecases.errors import InputError, reason_of
from kairos.usecases.events import Events, many_objects, read_people
from kairos.usecases.progress import Progress, Tell, silent
from kairos.usecases.rules.parts import parts_in
from kairos.usecases.rules.people_then import told_of_file, unknown_in_file

_SMALL = 2_000_000
"""Bytes of events up to which a second process would cost more than it saves."""


class History(msgspec.Struct, frozen=True):
    """What is played: a file of events, and profiles (None: every channel counts as reachable)."""

    events: Path
    profiles: Path | None = None

    @property
    def size(self) -> int:
        """Bytes of the events as they lie there. Raises InputError."""
        try:
            return self.events.stat().st_size
        except OSError as error:
            raise InputError("the events", str(self.events), reason_of(error)) from None


class Played(msgspec.Struct, frozen=True):
    """One run. `problems`: line of the events file -> what is wrong with it. Times in epoch ms, None: no event.
    `unknown`: kept crowds that the rules ask, and that nobody is known to be in."""

    verdicts: list[Verdict]
    events: int
    first: int | None
    last: int | None
    problems: dict[int, str]
    unknown: list[str] = []


class Coverage(msgspec.Struct, frozen=True):
    """How much of the history was replayed, and from which data: hashes are the first 16 hex digits of SHA-256.

    `warm_up` in ms: before `from` plus that long, metrics and caps may miss what was before the history's first event.
    `unknown`: kept crowds that are asked, and that select nobody, for nobody is known to be in them; `why`, in words.
    """

    events: int
    invalid: int
    first: int | None
    last: int | None
    start: int | None
    end: int | None
    warm_up: int
    warmed_up: bool
    profiles: str
    data: str
    unknown: list[str] = []
    why: str = ""


class Compared(msgspec.Struct, frozen=True):
    coverage: Coverage
    comparison: Comparison
    problems: dict[int, str]


def compare_rules(
    a: NamedRules,
    b: NamedRules,
    history: History,
    start: int | None = None,
    end: int | None = None,
    progress: Progress = silent,
) -> Compared:
    """What is decided from `start` on and before `end` counts, epoch ms. Raises InputError."""
    with progress("comparing", None):
        first, second = play_all([a.rules, b.rules], history)
    comparison = compare(Side(a.rules, first.verdicts), Side(b.rules, second.verdicts), start, end)
    length = warm_up(a.rules, b.rules)
    begun = first.first if start is None else start
    unknown = sorted({*first.unknown, *second.unknown})
    coverage = Coverage(
        first.events, len(first.problems), first.first, first.last, start, end, length,
        first.first is not None and begun is not None and begun - first.first >= length,
        "given" if history.profiles else "none", files_hash(filter(None, (history.events, history.profiles))),
        unknown, told_of_file(unknown),
    )  # fmt: skip
    return Compared(coverage, comparison, {**second.problems, **first.problems})


def play_all(rules: list[RuleSet], history: History, done: Tell | None = None) -> list[Played]:
    """One run each, two at a time; `done` hears how many are through. Raises InputError."""
    jobs = [(msgspec.msgpack.encode(one), history) for one in rules]
    if history.size <= _SMALL:
        return _gathered(map(_play_packed, jobs), done)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return _gathered(pool.map(_play_packed, jobs), done)


def _gathered(runs: Iterable[bytes], done: Tell | None) -> list[Played]:
    played: list[Played] = []
    for packed in runs:
        played.append(msgspec.msgpack.decode(packed, type=Played))
        if done is not None:
            done(len(played))
    return played


def play(rules: RuleSet, history: History) -> Played:
    """The run of `kairos simulate`, as verdicts. Raises InputError."""
    problems: dict[int, str] = {}
    people = people_of(history)
    with many_objects():
        events = Events(history.events, rules.sources, lambda bad: problems.update({bad.line: bad.reason})).all
    times = [event.time for event in events]
    try:
        found = decide(rules, events, people)
    finally:
        gc.unfreeze()
    unknown = unknown_in_file(rules, people)
    return Played(found, len(times), min(times, default=None), max(times, default=None), problems, unknown)


def people_of(history: History) -> UserProfiles | None:
    """None: every channel counts as reachable. Raises InputError."""
    return None if history.profiles is None else read_people(history.profiles, None, lambda _problem: None)


def decide(rules: RuleSet, events: Sequence[Event], people: UserProfiles | None) -> list[Verdict]:
    """What became of each attempt. `people` None: every channel counts as reachable."""
    simulation = Simulation(rules, people)
    try:
        return verdicts(simulation.run(events), parts_in(rules, events))
    finally:
        simulation.engine.script.close()


def _play_packed(job: tuple[bytes, History]) -> bytes:
    rules, history = job
    return msgspec.msgpack.encode(play(msgspec.msgpack.decode(rules, type=RuleSet), history))


def files_hash(paths: Iterable[Path]) -> str:
    """The first 16 hex digits of SHA-256 over the files, one behind the other. Raises OSError."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)
    return digest.hexdigest()[:16]
