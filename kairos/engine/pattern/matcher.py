"""What the engine sees of a compiled pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from kairos.engine.event import Event
from kairos.engine.expression.scope import Scope
from kairos.engine.pattern.runs import Match, Progress, Runs


class Matcher(Protocol):
    """A pattern, compiled: immutable, shared by all users; works on the `Runs` of one partition, None meaning none.

    Events come in the order of `Event.order`, and only those whose type is in `types`. All methods are pure: a
    `Runs` is never changed, and the same object comes back where nothing happened. `shape` is equal for two patterns
    whose runs may be carried over: same steps, types, quantifiers, contiguity, strategy and `per`; conditions and the
    length of `within` may differ. `stateless`: there are never any runs. `opening`: the types of `types` that a match
    can begin with.
    """

    types: frozenset[str]
    opening: frozenset[str]
    shape: str
    has_final_absence: bool
    stateless: bool

    def on_event(
        self, runs: Runs | None, event: Event, scope: Scope, start: bool = True
    ) -> tuple[Runs | None, list[Match]]:
        """The runs after this event, and the matches that it completes or releases.

        `start` False: no new run begins with it (a definition that drains). The scope is of the event, with no steps;
        those of each run are put in here. Deadlines up to the event's time are decided first.
        """
        ...

    def on_time(self, runs: Runs | None, now: int) -> tuple[Runs | None, list[Match]]:
        """Lets time pass to `now` (ms): absences are decided, what is over is dropped, what waited for it goes out."""
        ...

    def next_deadline(self, runs: Runs | None) -> int | None:
        """The earliest time (ms) at which `on_time` could give a match."""
        ...

    def expiry(self, runs: Runs | None) -> int | None:
        """The earliest time (ms) at which a run is merely dropped."""
        ...

    def on_late(self, runs: Runs | None, event: Event, scope: Scope) -> tuple[Runs | None, bool]:
        """An event that came too late to be merged: drops the runs whose absence, not yet decided, it refutes."""
        ...

    def cancels(self, steps: Mapping[str, Sequence[Event]], event: Event, scope: Scope) -> bool:
        """Whether the event is one that the pattern's final absence forbids to a match that took `steps`.

        The caller knows when the match was decided and compares times.
        """
        ...

    def lighten(self, runs: Runs, before: int, most: int) -> Runs | None:
        """Without the runs that began before this time (ms), or whose events take more than `most` bytes."""
        ...

    def progress(self, runs: Runs | None) -> list[Progress]:
        """The partial matches, told for people."""
        ...
