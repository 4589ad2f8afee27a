"""The conditions of a pattern, compiled: what to ask for each atom, and of which event types it need not be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kairos.engine.expression.condition import Condition, Script
from kairos.engine.expression.expression import parse
from kairos.engine.expression.problem import ExpressionError
from kairos.engine.expression.reads import Part
from kairos.engine.expression.scope import Scope
from kairos.engine.pattern.formula import Atom
from kairos.engine.pattern.spec import Step

Predicate = Callable[[Scope], bool]


@dataclass(frozen=True, slots=True)
class InTime:
    """Whether an event comes sooner than `within` ms after the last one that the steps `before` have taken, if any."""

    before: tuple[str, ...]
    within: int
    also: Predicate | None

    def __call__(self, scope: Scope) -> bool:
        assert scope.event is not None
        now = scope.event.time
        taken = max((events[-1].time for name in self.before if (events := scope.steps.get(name))), default=now)
        return now < taken + self.within and (self.also is None or self.also(scope))


@dataclass(frozen=True, slots=True)
class Asked:
    """A compiled condition. `of_run`: it may read what the run has taken; otherwise one answer serves all runs."""

    holds: Predicate
    of_run: bool


class Conditions:
    """`asked`: atom number -> condition; None where there is none to ask, the event type decides. `parts`: atom number
    -> number of a step -> what the condition reads of it."""

    def __init__(self, steps: Sequence[Step], compile_condition: Callable[[Condition], Predicate]) -> None:
        self._steps = steps
        self._numbers = {step.name: number for number, step in enumerate(steps)}
        self._mentions = re.compile(r"\b(?:" + "|".join(re.escape(step.name) for step in steps) + r")\b")
        self.asked: list[Asked | None] = []
        self.parts: list[Mapping[int, frozenset[Part]]] = []
        for number, step in enumerate(steps):
            for condition in (step.where, step.until):
                self.asked.append(None if condition is None else self._compile(condition, compile_condition))
                self.parts.append({} if condition is None else self._read(condition))
            if step.within is not None:
                self._bound(number, step.within)

    def _bound(self, number: int, within: int) -> None:
        """The step's own `within`. A final absence is asked no such thing: at its deadline the run is over."""
        place, final = 2 * number, number == len(self._steps) - 1 and self._steps[number].kind == "absent"
        before = [other for other in range(number) if self._steps[other].kind == "event"]
        also, parts = self.asked[place], self.parts[place]
        if not final:
            names = tuple(self._steps[other].name for other in before)
            self.asked[place] = Asked(InTime(names, within, also.holds if also else None), of_run=True)
        last: frozenset[Part] = frozenset({"last"})
        self.parts[place] = {**parts, **{other: parts.get(other, frozenset()) | last for other in before}}

    def _compile(self, condition: Condition, compile_condition: Callable[[Condition], Predicate]) -> Asked:
        # A condition that mentions no step's name cannot read one; JavaScript could compose the name.
        of_run = isinstance(condition, Script) or self._mentions.search(condition) is not None
        return Asked(compile_condition(condition), of_run)

    def _read(self, condition: Condition) -> Mapping[int, frozenset[Part]]:
        """A step that is mentioned otherwise than by a path is read as a whole."""
        if isinstance(condition, Script):
            return dict.fromkeys(self._numbers.values(), frozenset({"all"}))
        try:
            parts = parse(condition).reads.parts
        except ExpressionError:
            parts = {}
        whole: frozenset[Part] = frozenset({"all"})
        return {self._numbers[name]: parts.get(name, whole) for name in set(self._mentions.findall(condition))}

    def known(self, event_type: str) -> dict[Atom, bool]:
        """The atoms that an event's type alone decides."""
        known = {}
        for index, step in enumerate(self._steps):
            if event_type not in step.types:
                known[Atom(index)] = False
            elif self.asked[2 * index] is None:
                known[Atom(index)] = True
        return known
