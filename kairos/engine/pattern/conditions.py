"""The conditions of a pattern, compiled: what to ask for each atom, and of which event types it need not be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kairos.engine.expression.condition import Condition, Script
from kairos.engine.expression.scope import Scope
from kairos.engine.pattern.formula import Atom
from kairos.engine.pattern.spec import Step

Predicate = Callable[[Scope], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A compiled condition. `of_run`: it may read what the run has taken; otherwise one answer serves all runs."""

    holds: Predicate
    of_run: bool


class Conditions:
    """Atom number -> condition; None where there is none to ask, the event type decides."""

    def __init__(self, steps: Sequence[Step], compile_condition: Callable[[Condition], Predicate]) -> None:
        self._steps = steps
        self._mentions = re.compile(r"\b(?:" + "|".join(re.escape(step.name) for step in steps) + r")\b")
        self.asked: list[Asked | None] = []
        for step in steps:
            for condition in (step.where, step.until):
                self.asked.append(None if condition is None else self._compile(condition, compile_condition))

    def _compile(self, condition: Condition, compile_condition: Callable[[Condition], Predicate]) -> Asked:
        # A condition that mentions no step's name cannot read one; JavaScript could compose the name.
        of_run = isinstance(condition, Script) or self._mentions.search(condition) is not None
        return Asked(compile_condition(condition), of_run)

    def known(self, event_type: str) -> dict[Atom, bool]:
        """The atoms that an event's type alone decides."""
        known = {}
        for index, step in enumerate(self._steps):
            if event_type not in step.types:
                known[Atom(index)] = False
            elif step.where is None:
                known[Atom(index)] = True
        return known
