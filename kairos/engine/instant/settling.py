"""Decides cases that are due: asks the gates, lets those of a group compete, and spends the budgets."""

from __future__ import annotations

from kairos.engine.case.life import come_due
from kairos.engine.case.own_events import is_about
from kairos.engine.case.reserved import take_back
from kairos.engine.effect import Candidate, Effect, Refund, Result
from kairos.engine.event import Event
from kairos.engine.gate.budget import Budgets
from kairos.engine.journey.entry import enter, may_enter
from kairos.engine.matching.competing import by_group, compete
from kairos.engine.rule.compile import Program
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Instant


class Settling:
    """All methods add to `effects`, which leave the engine, and to `own`, the events of the next round."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets

    def decide_all(self, due: list[tuple[Instant, Case]], effects: list[Effect], own: list[Event]) -> None:
        """One after the other, as they rank; those of a group together."""
        if len(due) > 1:
            due.sort(key=lambda pair: _rank(pair[0].program, pair[1]))
        for at, group, cases in by_group(due):
            if group is None:
                self._decide(at, cases[0], effects, own)
            else:
                for case, results in compete(at, group, cases):
                    self._settle(at, case, results, effects, own)

    def _decide(self, instant: Instant, case: Case, effects: list[Effect], own: list[Event]) -> None:
        """The gates, of a case that competes with no other."""
        journey = instant.program.journeys.get(case.activity)
        if journey is None:
            self._settle(instant, case, come_due(instant, case), effects, own)
        elif may_enter(instant, journey, case):
            self._settle(instant, case, enter(instant, journey, case, come_due(instant, case)), effects, own)

    def _settle(
        self, instant: Instant, case: Case, results: list[Result], effects: list[Effect], own: list[Event]
    ) -> None:
        """Asks the budget about what passed the gates. What it refuses has used up nothing, and was never sent."""
        decided: list[Effect] = []
        followed: list[Event] = []
        self.take(results, decided, followed)
        for effect in decided:
            if isinstance(effect, Candidate):
                asked, refused = self._budgets.ask(effect)
                effects += asked
                if refused:
                    followed = [event for event in followed if not is_about(event, case)]
                    self.take(take_back(instant, case), effects, followed)
            else:
                effects.append(effect)
        own += followed

    def take(self, results: list[Result], effects: list[Effect], own: list[Event]) -> None:
        """Sorts results: effects leave the engine, events are for the next round, refunds go back to the budgets."""
        for result in results:
            if isinstance(result, Event):
                own.append(result)
            elif isinstance(result, Refund):
                effects += self._budgets.take_back(result)
            else:
                effects.append(result)


def _rank(program: Program, case: Case) -> tuple[int, str, int, str]:
    """Who goes first at one instant: high priority, then name, then the earlier match."""
    activity = program.compiled(case.activity, case.version)
    return (activity.first_priority if activity else 0, case.activity, case.matched_at, case.occurrence)
