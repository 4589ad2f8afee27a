"""What a pattern says, after the short forms of `trigger` were lowered. Pure data; `compile.py` makes it run."""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.engine.expression.condition import Condition


class Times(msgspec.Struct, frozen=True):
    """A quantifier; `most` None is open."""

    least: int
    most: int | None


class Step(msgspec.Struct, frozen=True):
    """One step. `name` is its `as`, or the first of `types`; `next` is the contiguity with the step before: Flink CEP's
    `next`, `followedBy` and `followedByAny`. `absent` is its `notFollowedBy`, `not_next` its `notNext`.

    `within`: in ms since the last event that the steps before it have taken. What comes later is none of its events;
    of an `absent` at the end it is the deadline.
    """

    kind: Literal["event", "absent", "not_next"]
    types: tuple[str, ...]
    name: str
    where: Condition | None = None
    next: Literal["strict", "relaxed", "any"] = "relaxed"
    times: Times | None = None
    optional: bool = False
    greedy: bool = False
    inside: Literal["relaxed", "consecutive", "any"] = "relaxed"
    until: Condition | None = None
    within: int | None = None


class AfterMatch(msgspec.Struct, frozen=True):
    """What happens to the other runs once a match is there. `step` only for skip_to_first and skip_to_last."""

    kind: Literal["exclusive", "no_skip", "skip_past_last", "skip_to_next", "skip_to_first", "skip_to_last"] = (
        "exclusive"
    )
    step: str | None = None


class Pattern(msgspec.Struct, frozen=True):
    """A trigger: `within` in ms. `per` names the prop whose values have runs of their own."""

    steps: tuple[Step, ...]
    within: int | None = None
    within_kind: Literal["first_last", "previous_current"] = "first_last"
    after_match: AfterMatch = AfterMatch()
    per: str | None = None

    @property
    def ends_by_time(self) -> bool:
        """Whether a final absence has a deadline."""
        return self.within is not None or any(step.within is not None for step in self.steps[-1:])
