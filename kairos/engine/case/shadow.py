"""What is on trial beside a user's activities: it meets the same events at the same instants, and leaves records only.

It has a state of its own (`UserState.shadow`) with deadlines of its own, so it may be further on than its user: what is
then late for it alone, stops what waits and joins no pattern. Metrics, consents and the profile are the user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kairos.engine.case import events as case_events
from kairos.engine.case.life import drop
from kairos.engine.effect import Result
from kairos.engine.event import Event
from kairos.engine.rule.compile import Program
from kairos.engine.user.bounds import SHARE, keep_within_bounds
from kairos.engine.user.case import Case
from kairos.engine.user.cases import due_by
from kairos.engine.user.live_crowds import changes, look_before
from kairos.engine.user.matches import apply_deadlines, match, refute
from kairos.engine.user.moment import Instant, at_event
from kairos.engine.user.state import UserState
from kairos.engine.user.sweep import first_sweep, sweep
from kairos.engine.user.timer import ProgramAt, note_due, refresh_due

Metrics = Mapping[str, Mapping[str, Any]]
"""Metric -> part -> its value from before an event."""


def is_about_shadow(receipt: Event) -> bool:
    """Whether the receipt tells of a message that would have been: that there was no budget left for it."""
    return receipt.props.get("shadow") is True


def due_on_trial(shadow: UserState, program_at: ProgramAt, before: int) -> int:
    """The next instant (ms) at which something is due of what is on trial, earlier than `before`; 0: there is none."""
    if not 0 < shadow.due < before:
        return 0
    program = program_at(shadow.due)
    if program is None or program.shadow is None:
        return 0
    refresh_due(program.shadow, shadow)  # it may be later than it was
    return max(shadow.due, shadow.applied_until) if 0 < shadow.due < before else 0


def trial_at(instant: Instant) -> Trial | None:
    """None: nothing is on trial."""
    program = instant.program.shadow
    if program is None:
        instant.state.shadow = None
        return None
    return Trial(instant, program)


class Trial:
    """One instant. `at`: as what is on trial sees it. `cases`: those that are due for the gates in this round.

    `echo`: changes of crowds that nobody else listens to, for the next round.
    """

    def __init__(self, instant: Instant, program: Program) -> None:
        state = instant.state.shadow
        if state is None:
            state = instant.state.shadow = UserState()
        self._in_time = instant.now >= state.applied_until
        now = max(instant.now, state.applied_until)
        self.at = Instant(instant.surroundings, instant.user_id, state, program, now, live=instant)
        self.cases: list[Case] = []
        self.echo: list[Event] = []
        if program.heard_crowds:
            look_before(self.at)

    def begin(self) -> None:
        """Begins a round: decides the deadlines that have passed."""
        state, self.cases = self.at.state, []
        if 0 < state.due <= self.at.now and state.runs:
            apply_deadlines(self.at, self.cases)

    def hear(self, event: Event, before: Metrics) -> list[Result]:
        """`before`: metrics from before the event, which has been counted."""
        if not self._in_time:
            return self.hear_late(event, before)
        handlers = self.at.program.by_type.get(event.type)
        if handlers is None:
            return []
        moment = at_event(self.at, event, before)
        if event.merged:
            refute(moment, handlers, event)
            return case_events.stop_waiting(moment, event)
        results = case_events.in_time(moment, handlers, event)
        match(moment, handlers, event, self.cases)
        return results

    def hear_late(self, event: Event, before: Metrics) -> list[Result]:
        handlers = self.at.program.by_type.get(event.type)
        if handlers is None:
            return []
        moment = at_event(self.at, event, before)
        refute(moment, handlers, event)
        return case_events.late(moment, event)

    def settle(self) -> list[Result]:
        """Ends the events of a round: keeps the state within its bounds, and collects in `cases` all that are due."""
        state, program = self.at.state, self.at.program
        results: list[Result] = []
        for event in self.echo:
            results += self.hear(event, {})
        if state.gained > self.at.surroundings.settings.match_bytes // SHARE:
            results += drop(self.at, keep_within_bounds(self.at))
        self.cases += due_by(state, self.at.now)
        state.applied_until = self.at.now
        self.echo = self._changes() if program.heard_crowds else []
        return results

    def _changes(self) -> list[Event]:
        assert self.at.live is not None
        known = self.at.live.program.heard_crowds
        return [event for event in changes(self.at) if event.props["crowd"] not in known]

    def end(self) -> None:
        """Ends the instant: notes when to look again. A shadow of which nothing is kept is forgotten."""
        state, live = self.at.state, self.at.live
        assert live is not None
        note_due(self.at.program, state, self.at.now)
        if not state.sweep_at:
            state.sweep_at = first_sweep(self.at.program, self.at.now)
        elif state.sweep_at <= self.at.now:
            sweep(self.at.program, state, self.at.now)
        if state.empty:
            live.state.shadow = None
