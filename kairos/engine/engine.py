"""The engine: base + tail in event time. The job, `test`, `simulate`, `explain` and the backtest all call this object.

A user's state is *base*, everything applied up to `applied_until`, and *tail*, later events in order. Nothing is
applied before the watermark has passed it, so the result does not depend on the order of arrival. What one instant
brings is in the room `instant`.

Three calls drive it: `on_event`, `on_time`, `next_timer`. Whoever calls keeps the states and the timers.
"""

from __future__ import annotations

from functools import partial

import msgspec

from kairos.engine.case.receipts import is_refusal
from kairos.engine.case.shadow import due_on_trial
from kairos.engine.catalog.items import Items, no_items
from kairos.engine.effect import Effect
from kairos.engine.event import CONTROLS, END_OF_TIME, FORGET, LOOK, RECEIPT, Event
from kairos.engine.expression import JavaScript
from kairos.engine.gate.budget import REFUSAL_KNOWN_AFTER, Budgets, Elsewhere
from kairos.engine.instant.rounds import Rounds
from kairos.engine.instant.settling import Settling
from kairos.engine.profile.port import Profiles
from kairos.engine.rule.changes.switch import Switches
from kairos.engine.rule.compile import Program
from kairos.engine.settings import Settings
from kairos.engine.user.cases import MANY, put_away
from kairos.engine.user.moment import AwaitsReceipt, Instant, Observer, Surroundings
from kairos.engine.user.patience import begin, is_over, prolong
from kairos.engine.user.repeats import is_repeated
from kairos.engine.user.state import UserState
from kairos.engine.user.sweep import first_sweep, sweep
from kairos.engine.user.tail import insert, take, unpack_next
from kairos.engine.user.timer import next_timer, refresh_due

_ALWAYS = frozenset({RECEIPT, *CONTROLS})
"""What is read whatever the rules are."""


class Engine:
    """All methods change `state` in place and return what is to be done. Times are event time in ms."""

    def __init__(
        self,
        settings: Settings,
        profiles: Profiles | None = None,
        budgets: Budgets | None = None,
        awaits_receipt: AwaitsReceipt | None = None,
        observer: Observer | None = None,
        items: Items = no_items,
    ) -> None:
        """`profiles` None: there is no profile source, and every channel counts as reachable. `budgets` None: they are
        spent elsewhere. `awaits_receipt` None: receipts come if there are delivery workers. `items`: of catalogs."""
        self.settings = settings
        self.script = JavaScript()
        self._surroundings = Surroundings(settings, profiles, awaits_receipt, observer, items)
        self._rounds = Rounds(self._surroundings, Settling(budgets or Elsewhere()))
        self.counters = self._surroundings.counters
        self.dropped = self._surroundings.dropped
        self._programs: list[Program] = []
        self._types: frozenset[str] = _ALWAYS
        self._rolling = self._on_trial = False

    def adopt(self, program: Program) -> None:
        """Use this release for everything from its `effective_at` on; the one before stays for what is earlier."""
        self._programs = [*(p for p in self._programs[-1:] if p.effective_at < program.effective_at), program]
        self._rolling = any(p.rollouts for p in self._programs)
        self._on_trial = any(p.shadow is not None for p in self._programs)
        self._types = _ALWAYS.union(*(p.heard for p in self._programs))

    def heed(self, switches: Switches) -> None:
        """Takes over what is paused or ended, each from its own event time on."""
        self._surroundings.switches = switches

    @property
    def program(self) -> Program:
        """The newest release."""
        return self._programs[-1]

    def program_at(self, time: int) -> Program:
        newest = self._programs[-1]
        return newest if newest.effective_at <= time else self._programs[0]

    def program_for(self, user_id: str, time: int) -> Program:
        """The program for this user: the release, with or without the rollouts that the user is in."""
        program = self.program_at(time)
        if not program.rollouts:
            return program
        switches = self._surroundings.switches
        return program.of(user_id, lambda key: switches.at(key, time) != "live")

    def reads(self, event_type: str) -> bool:
        """Whether anything is interested in events of this type; the others need not touch a state."""
        return event_type in self._types

    # ----------------------------------------------------------------------------------------------- the three calls
    def on_event(self, user_id: str, state: UserState, event: Event, watermark: int) -> list[Effect]:
        """Take an event in, in any order; then apply everything that the watermark has passed."""
        news = None if 0 < state.due <= watermark else event.time  # else what is due is due whatever this event says
        effects: list[Effect] = []
        if event.type in CONTROLS:
            _obey(state, event)
            return self.on_time(user_id, state, watermark, news)
        if state.waits_until and event.time <= watermark:
            prolong(state, watermark, self.settings.patience)
        if event.type == RECEIPT:
            effects = self._take_receipt(user_id, state, event)
        elif not is_repeated(self._programs[-1], state, event, self.counters):
            if event.time <= state.applied_until:
                news = None
                effects = self._rounds.apply_late(self._instant(user_id, state, state.applied_until), event)
            else:
                insert(state, event)
        if not state.sweep_at:
            state.sweep_at = first_sweep(self._programs[-1], event.time)
        done = self.on_time(user_id, state, watermark, news)
        return effects + done if effects else done

    def on_time(self, user_id: str, state: UserState, watermark: int, news: int | None = None) -> list[Effect]:
        """Apply everything up to the watermark, instant by instant.

        `news`: the time of an event that has just come; deadlines after it were not known before (patience.py).
        """
        effects: list[Effect] = []
        while True:
            if 0 < state.due <= watermark:
                refresh_due(self.program_for(user_id, state.applied_until), state)
            if state.later and not state.tail:
                unpack_next(state, watermark)
            time, due = state.tail[0].time if state.tail else END_OF_TIME, state.due
            if due and due < time:
                time = due if due > state.applied_until else state.applied_until
            if state.shadow is not None:
                first = due_on_trial(state.shadow, self.program_at, min(time, watermark + 1))
                if first:
                    effects += self._rounds.apply_on_trial(self._instant(user_id, state, first))
                    continue
            if time > watermark or time == END_OF_TIME:
                if state.waits_until:
                    state.waits_since = state.waits_until = 0
                break
            if 0 < due <= time and self._stands_still(state, time, watermark, news):
                break
            effects += self._rounds.apply(self._instant(user_id, state, time), take(state, time))
            if len(state.cases) > MANY:  # nobody holds one between two instants
                put_away(state, MANY)
        if state.sweep_at and state.sweep_at <= watermark:
            sweep(self.program_for(user_id, watermark), state, watermark)
        shadow = state.shadow
        if shadow is not None and 0 < shadow.sweep_at <= watermark and (program := self.program_at(watermark).shadow):
            sweep(program, shadow, watermark)
        return effects

    def next_timer(self, user_id: str, state: UserState) -> int | None:
        """The earliest time at which base and tail could have an effect; None: only another event can."""
        program_at = partial(self.program_for, user_id) if self._rolling else self.program_at
        return next_timer(user_id, state, program_at, self._on_trial)

    def _instant(self, user_id: str, state: UserState, time: int) -> Instant:
        program = self._programs[-1]
        if self._rolling or program.effective_at > time:
            program = self.program_for(user_id, time)
        return Instant(self._surroundings, user_id, state, program, time)

    def _take_receipt(self, user_id: str, state: UserState, receipt: Event) -> list[Effect]:
        """Receipts go in the order of event time like everything else, so that what they free is free from then on.

        They are never late: one from before what was applied acts at once. A refusal has a way to go, and acts after a
        fixed time.
        """
        if self._surroundings.has_workers and is_refusal(receipt):
            receipt = msgspec.structs.replace(receipt, time=receipt.time + REFUSAL_KNOWN_AFTER)
        if receipt.time > state.applied_until:
            insert(state, receipt)
            return []
        return self._rounds.apply_receipt(self._instant(user_id, state, state.applied_until), receipt)

    def _stands_still(self, state: UserState, instant: int, watermark: int, news: int | None) -> bool:
        if state.waits_until:
            return not is_over(state, watermark)
        if news is not None and instant > news:
            begin(state, watermark, self.settings.patience)
            return True
        return False


def _obey(state: UserState, control: Event) -> None:
    """Carries out a control event. `forget` empties the state at once, even where events still wait.

    `look` takes its place in the tail, for a journey that was edited. Where the user was looked at since then, it is
    dropped.
    """
    if control.type == FORGET:
        forgotten = UserState(timer=state.timer)
        for name in UserState.__struct_fields__:
            setattr(state, name, getattr(forgotten, name))
    elif control.type == LOOK and state.journeys and control.time > state.applied_until:
        insert(state, control)
