"""One instant of one user, in rounds: what Kairos did in one round is an event of the next.

One instant is one millisecond: first the deadlines that fall on it, then all its events, then the gates, by priority,
then its receipts.
"""

from __future__ import annotations

from kairos.engine.case import events as case_events
from kairos.engine.case.life import drop, hear
from kairos.engine.case.receipts import case_of
from kairos.engine.case.shadow import Metrics, Trial, is_about_shadow, trial_at
from kairos.engine.effect import Effect, Late
from kairos.engine.event import JOURNEY_STEP, RECEIPT, Event
from kairos.engine.instant.settling import Settling
from kairos.engine.journey.hearing import Moves, adopt, go_on, hear_event, hear_late, hear_step
from kairos.engine.user.bounds import SHARE, keep_within_bounds
from kairos.engine.user.case import Case
from kairos.engine.user.cases import due_by
from kairos.engine.user.counting import count
from kairos.engine.user.live_crowds import changes, look_before
from kairos.engine.user.matches import apply_deadlines, match, refute
from kairos.engine.user.moment import Instant, Surroundings
from kairos.engine.user.sweep import first_sweep, sweep
from kairos.engine.user.timer import note_due


class Rounds:
    """All methods change the instant's state in place, and return what leaves the engine."""

    def __init__(self, surroundings: Surroundings, settling: Settling) -> None:
        self._counters = surroundings.counters
        self._measured_after = surroundings.settings.match_bytes // SHARE
        self._settling = settling
        self._take = settling.take

    def apply(self, instant: Instant, events: list[Event]) -> list[Effect]:
        """Events, gates, receipts; a receipt that nothing was sent for yet waits for what the next round sends."""
        state, program = instant.state, instant.program
        effects: list[Effect] = []
        trial = None if program.shadow is None and state.shadow is None else trial_at(instant)
        receipts: list[Event] = []
        if len(events) > 1 or (events and events[0].type == RECEIPT):  # most instants have one event
            receipts = [event for event in events if event.type == RECEIPT]
        if program.heard_crowds:
            look_before(instant)
        while True:
            own: list[Event] = []
            cases = self._advance(instant, trial, events, effects, own)
            if trial is not None:
                self._take(trial.settle(), effects, own)
            if program.heard_crowds:
                own += changes(instant)
            if cases or trial is not None:
                self._settling.decide_all(_due(instant, cases, trial), effects, own)
            waiting: list[Event] = []
            for receipt in receipts:
                if own and case_of(state, receipt) is None:
                    waiting.append(receipt)
                else:
                    self._hear(instant, trial, receipt, effects, own)
            if not own and (trial is None or not trial.echo):
                break
            events, receipts = own, waiting
        if trial is not None:
            trial.end()
        note_due(program, state, instant.now)
        if not state.sweep_at:
            state.sweep_at = first_sweep(program, instant.now)
        elif state.sweep_at <= instant.now:
            sweep(program, state, instant.now)
        return effects

    def _advance(
        self, instant: Instant, trial: Trial | None, events: list[Event], effects: list[Effect], own: list[Event]
    ) -> list[Case]:
        """Deadlines, then events. Returns the cases that are due for the gates."""
        if trial is not None:
            trial.begin()
        state, by_type = instant.state, instant.program.by_type
        due: list[Case] = []
        moves: Moves = {}
        if state.journeys:
            self._take(adopt(instant, moves), effects, own)
        if 0 < state.due <= instant.now and state.runs:
            apply_deadlines(instant, due)
        for event in events:
            handlers = by_type.get(event.type)
            if handlers is None:
                if trial is not None:
                    self._take(trial.hear(event, {}), effects, own)
                continue
            if event.type == JOURNEY_STEP:
                hear_step(instant, event, moves)
                continue
            moment = count(instant, handlers, event)
            if event.merged:
                self._counters["merged"] += 1
                refute(moment, handlers, event)
                self._take(case_events.stop_waiting(moment, event), effects, own)
                self._take(hear_late(moment, handlers, event), effects, own)
            else:
                if state.cases or state.packed_cases:
                    self._take(case_events.in_time(moment, handlers, event), effects, own)
                if state.journeys:
                    self._take(hear_event(moment, handlers, event, moves), effects, own)
                match(moment, handlers, event, due)
            if trial is not None:
                self._take(trial.hear(event, moment.before), effects, own)
        if state.gained > self._measured_after:
            self._take(drop(instant, keep_within_bounds(instant)), effects, own)
        if state.cases or state.packed_cases:
            due += due_by(state, instant.now)
        if state.journeys:
            results, messages = go_on(instant, moves)
            self._take(results, effects, own)
            due += messages
        state.applied_until = instant.now
        return due

    def apply_late(self, instant: Instant, event: Event) -> list[Effect]:
        """A late event updates metrics and cancels absences (`notFollowedBy`); it never starts or completes a match.

        One that was merged could not have come in time, so it is not counted as late.
        """
        effects: list[Effect] = []
        own: list[Event] = []
        if event.merged:
            self._counters["merged"] += 1
        else:
            self._counters["late"] += 1
            effects.append(Late(event, instant.now))
        handlers, trial = instant.program.by_type.get(event.type), trial_at(instant)
        before: Metrics = {}
        if handlers is not None:
            moment = count(instant, handlers, event)
            before = moment.before
            if handlers.crowds:
                own += changes(instant)
            refute(moment, handlers, event)
            self._take(case_events.late(moment, event), effects, own)
            self._take(hear_late(moment, handlers, event), effects, own)
        if trial is not None:
            self._take(trial.hear_late(event, before), effects, own)
            trial.end()
        note_due(instant.program, instant.state, instant.now)
        return effects + self.apply(instant, own) if own else effects

    def apply_on_trial(self, instant: Instant) -> list[Effect]:
        """Decides what is due of shadows alone; the user's own state is not changed."""
        effects: list[Effect] = []
        trial = trial_at(instant)
        while trial is not None:
            trial.begin()
            self._take(trial.settle(), effects, [])
            self._settling.decide_all(_due(trial.at, trial.cases), effects, [])
            if not trial.echo:
                trial.end()
                break
        return effects

    def apply_receipt(self, instant: Instant, receipt: Event) -> list[Effect]:
        """Applies a receipt from before what was already applied. It is never late."""
        effects: list[Effect] = []
        own: list[Event] = []
        trial = trial_at(instant) if is_about_shadow(receipt) else None
        self._hear(instant, trial, receipt, effects, own)
        if trial is not None:
            trial.end()
        note_due(instant.program, instant.state, instant.now)
        return effects + self.apply(instant, own) if own else effects

    def _hear(
        self, instant: Instant, trial: Trial | None, receipt: Event, effects: list[Effect], own: list[Event]
    ) -> None:
        if not is_about_shadow(receipt):
            self._take(hear(instant, receipt), effects, own)
        elif trial is not None:
            self._take(hear(trial.at, receipt), effects, own)


def _due(instant: Instant, cases: list[Case], trial: Trial | None = None) -> list[tuple[Instant, Case]]:
    on_trial = [(trial.at, case) for case in trial.cases] if trial is not None else []
    return [*((instant, case) for case in cases), *on_trial]
