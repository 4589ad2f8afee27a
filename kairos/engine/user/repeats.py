"""Repetitions are dropped (`dedup`): sources may send an event again, with another time, too."""

from __future__ import annotations

from collections.abc import MutableMapping

from kairos.engine.event import Event
from kairos.engine.rule.compile import Program
from kairos.engine.user.remembered import correct, look, remember
from kairos.engine.user.seen import forget, mark_before, mark_of, time_of
from kairos.engine.user.state import UserState
from kairos.engine.user.tail import remove


def is_repeated(program: Program, state: UserState, event: Event, counters: MutableMapping[str, int]) -> bool:
    """Of events with one (source, type, id) within the horizon the first in event time stays, or the one applied.

    One from before what was applied could only be late, so then the other stays.
    """
    mark = mark_of(event)
    known = _from_before(state, event) if state.seen_before else None
    if known is None:
        known = look(state, mark, event.time)
    if known is None:
        return False
    if abs(event.time - known) < program.dedup:
        counters["duplicate"] += 1
        if event.time >= known or event.time <= state.applied_until or known <= state.applied_until:
            return True
        remove(state, event)
    correct(state, mark, event.time)
    return False


def _from_before(state: UserState, event: Event) -> int | None:
    """When the event was taken by a version that did not tell types apart; what is known of it moves to `seen`."""
    before = mark_before(event)
    known = time_of(state.seen_before, before, event.time)
    if known is not None:
        forget(state.seen_before, before)
        remember(state, mark_of(event), known)
    return known
