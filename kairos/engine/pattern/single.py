"""The pattern of one plain step: every event that it accepts is a match, and nothing is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kairos.engine.event import Event
from kairos.engine.expression.scope import Scope
from kairos.engine.pattern.conditions import Predicate
from kairos.engine.pattern.runs import Match, Progress, Runs, slim


class Single:
    """See `matcher.Matcher` for its methods."""

    stateless = True
    has_final_absence = False

    def __init__(self, name: str, holds: Predicate | None, shape: str, keeps: Mapping[str, tuple[str, ...]]) -> None:
        """`keeps`: event type -> the props to keep of a taken event."""
        self.types = self.opening = frozenset(keeps)
        self.shape = shape
        self._name = name
        self._holds = holds
        self._keeps = keeps

    def on_event(
        self, runs: Runs | None, event: Event, scope: Scope, start: bool = True
    ) -> tuple[Runs | None, list[Match]]:
        if not start:
            return None, []
        if self._holds is not None and not self._holds(scope):
            return None, []
        taken = slim(event, self._keeps[event.type])
        return None, [Match({self._name: (taken,)}, event.time, event.time)]

    def on_time(self, runs: Runs | None, now: int) -> tuple[Runs | None, list[Match]]:
        return None, []

    def next_deadline(self, runs: Runs | None) -> int | None:
        return None

    def expiry(self, runs: Runs | None) -> int | None:
        return None

    def on_late(self, runs: Runs | None, event: Event, scope: Scope) -> tuple[Runs | None, bool]:
        return None, False

    def cancels(self, steps: Mapping[str, Sequence[Event]], event: Event, scope: Scope) -> bool:
        return False

    def lighten(self, runs: Runs, before: int, most: int) -> Runs | None:
        return runs

    def progress(self, runs: Runs | None) -> list[Progress]:
        return []
