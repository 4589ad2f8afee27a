"""What a new release does to those inside a journey: which steps were touched, and what becomes of whom."""

from __future__ import annotations

from typing import Literal

import msgspec

from kairos.engine.rule.journey import Arm, Branch, Choose, Journey, JourneyStep, Message, Split, WaitFor, every_step
from kairos.engine.rule.model import RuleSet, parts_of_journey
from kairos.engine.rule.release import activity_version, journey_version


class TouchedStep(msgspec.Struct, frozen=True):
    """`becomes`: what follows for whoever waits there, in words."""

    key: str
    kind: Literal["new", "changed", "removed"]
    becomes: str


_BECOMES = {
    "new": "whoever is past it does not do it any more",
    "removed": "whoever waits there leaves (`changed`)",
    "changed": "whoever waits there goes on under the new one, counted from when they came",
}


def is_changed(name: str, old: RuleSet, new: RuleSet) -> bool:
    """Whether both know the journey, and it means something else now."""
    before, after = old.journeys.get(name), new.journeys.get(name)
    if before is None or after is None:
        return False
    was, now = parts_of_journey(before, old.activities), parts_of_journey(after, new.activities)
    return journey_version(before, was) != journey_version(after, now)


def touched_steps(name: str, old: RuleSet, new: RuleSet) -> tuple[TouchedStep, ...]:
    """Steps that are new, different, or gone."""
    before, after = old.journeys[name], new.journeys[name]
    was, now = _steps(before), _steps(after)
    found = [(key, "new") for key in now if key not in was]
    found += [(key, "changed") for key in now if key in was and _differs(was[key], now[key], before, old, new)]
    found += [(key, "removed") for key in was if key not in now]
    return tuple(TouchedStep(key, kind, _BECOMES[kind]) for key, kind in found)  # type: ignore[arg-type]


def _steps(journey: Journey) -> dict[str, JourneyStep]:
    return {step.key: step for step in every_step(journey.steps)}


def _differs(one: JourneyStep, other: JourneyStep, journey: Journey, old: RuleSet, new: RuleSet) -> bool:
    """By itself, whatever is inside of it."""
    if _alone(one) != _alone(other):
        return True
    if not isinstance(one, Message):
        return False
    part = journey.part(one.key)
    return activity_version(old.activities[part]) != activity_version(new.activities[part])


def _alone(step: JourneyStep) -> JourneyStep:
    """Without the steps inside of it."""
    match step:
        case WaitFor():
            return msgspec.structs.replace(step, otherwise=())
        case Choose(branches=branches):
            return msgspec.structs.replace(step, branches=tuple(Branch(branch.when, ()) for branch in branches))
        case Split(arms=arms):
            return msgspec.structs.replace(step, arms=tuple(Arm(arm.name, arm.weight, ()) for arm in arms))
    return step
