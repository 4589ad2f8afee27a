"""Whom the calendars of a change reach: counted once, for those who agree to it and for whoever lets it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.control.approvals import workflow_of
from kairos.usecases.errors import AskError
from kairos.usecases.scheduler.foresee import blasts_in, reached
from kairos.usecases.scheduler.ports import People

SLACK = 0.05
"""So much may the number of people differ from what was expected."""


class Reach(msgspec.Struct, frozen=True):
    """`people`: activity -> for how many a slot is to come. `unknown`: why nobody could count them; empty: somebody
    has."""

    people: Mapping[str, int] = {}
    unknown: str = ""

    def of(self, names: list[str]) -> dict[str, int]:
        """Of these activities. Raises AskError where they are not counted."""
        if missing := [name for name in names if name not in self.people]:
            why = f": {self.unknown}" if self.unknown else ""
            raise AskError(f"how many people {', '.join(missing)} reaches cannot be told{why}")
        return {name: self.people[name] for name in names}


class NotExpectedError(AskError):
    """Nobody said how many are to be reached, or it was another number."""


def reach_of(before: RuleSet | None, after: RuleSet, people: Callable[[], People], now: int) -> Reach:
    """Of a change, as far as it matters: of every calendar where somebody has to agree, else of what goes to many at
    once. `people` is asked only where there is one, and gone through once. `now`: epoch ms."""
    names = blasts_in(before, after)
    if workflow_of(before, after) is not None:
        names = [name for name, activity in after.activities.items() if activity.schedule is not None]
    if not names:
        return Reach()
    try:
        return Reach(reached(after, names, people(), now))
    except KairosError as error:
        return Reach(unknown=str(error))


def number_of_people(text: str) -> int | None:
    """As somebody has typed it; None: it is none."""
    return int(text) if text.isdecimal() and len(text) < 12 else None


def need_expected(reached: Mapping[str, int], expect: int | None) -> None:
    """`reached`: what goes to many at once -> people. Raises NotExpectedError."""
    if not reached:
        return
    total = sum(reached.values())
    if expect is None:
        raise NotExpectedError(f"a blast is published with the number of people that it is to reach: --expect {total}")
    if abs(expect - total) > SLACK * total:
        parts = ", ".join(f"{name} {people}" for name, people in reached.items())
        raise NotExpectedError(f"--expect {expect} is not within {SLACK:.0%} of {total} ({parts})")
