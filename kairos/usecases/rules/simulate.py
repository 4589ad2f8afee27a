"""`kairos simulate`: a file of events played through the rules; every decision, in order."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from kairos.adapters.profiles.file import Profiles
from kairos.engine.catalog.item import UNUSED
from kairos.engine.decision import Record
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.model import RuleSet
from kairos.usecases.events import Events
from kairos.usecases.progress import Progress, silent

NOBODY = frozenset({"undefined", "null", "None", "NaN", "nil", "(null)", "[object Object]"})
"""User ids that no user has: what a script sends that does not know its user."""

_AT_ONCE = 1024  # records handed over together

Take = Callable[[Sequence[Record]], object]
"""Hears the decisions, some at a time, in order."""


class Simulated(msgspec.Struct, frozen=True):
    """How much was read and decided. `invalid`, `duplicate`, `later`: events left out. `end`: epoch ms; `beyond`: so
    many decisions come after it. `nobody`: users with an id that no user has. `dropped`: activity -> open matches that
    were not kept. `catalogs`: what of them could not be used, `catalog_cut` and the like -> how often."""

    events: int
    invalid: int
    duplicate: int
    later: int
    decisions: int
    end: int
    beyond: int
    nobody: list[str]
    dropped: dict[str, int]
    catalogs: dict[str, int]


def simulate(
    rules: RuleSet,
    given: Events,
    people: Profiles | None,
    take: Take,
    *,
    end: int | None = None,
    as_arrived: bool = False,
    progress: Progress = silent,
) -> Simulated:
    """`people` None: every channel counts as reachable. `end`: where the file ends, epoch ms; None: at its last event.

    Decisions later than the end, which nobody knows what would have cancelled, are marked `after_end`. `as_arrived`: in
    the order of the file with the lateness, as the job has it.
    """
    if end is not None:
        given.leave_out_after(end)
    simulation = Simulation(rules, people, on_duplicate=given.duplicate, as_arrived=as_arrived, shadows={})
    gc.set_threshold(50_000, 20, 100)
    times = [event.time for event in given.all]
    first, last = min(times, default=0), max(times, default=0)
    marked = _AfterTheEnd(end if end is not None else last)
    with progress("deciding", last - first) as tell:
        on_time = tell and (lambda time: tell(min(time, last) - first))
        decisions = _hand_over(marked.of(simulation.run(given.all, last=end)), take, on_time)
    problems = given.problems
    return Simulated(
        len(times), problems["invalid"], problems["duplicate"], problems["later"], decisions, marked.end, marked.count,
        sorted(simulation.users.keys() & NOBODY), dict(sorted(simulation.engine.dropped.items())),
        {name: number for name, number in simulation.engine.counters.items() if name in UNUSED and number},
    )  # fmt: skip


class _AfterTheEnd:
    """Marks the records later than `end` (epoch ms), and counts them."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.count = 0

    def of(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if record.at > self.end:
                record.after_end = True
                self.count += 1
            yield record


def _hand_over(records: Iterable[Record], take: Take, on_time: Callable[[int], object] | None) -> int:
    """How many there were. `on_time` hears now and then to what event time it got."""
    taken = 0
    records = iter(records)
    while chunk := list(islice(records, _AT_ONCE)):
        take(chunk)
        taken += len(chunk)
        if on_time is not None:
            on_time(chunk[-1].at)
    return taken
