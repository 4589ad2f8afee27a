"""What must be known of a user before a plan can decide: nothing else is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from kairos.engine.address import ADDRESSES
from kairos.engine.crowd.spec import Crowd, Members, RuleCrowd, Sample
from kairos.engine.expression import parse
from kairos.engine.expression.condition import Script
from kairos.engine.rule.compile import Plan
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.metric_readers import expressions_of

ALWAYS = frozenset({"timezone", "crowds", "lists", "unsubscribed", "dead_addresses"})
"""Fields of a profile that the engine itself asks for, beside the addresses."""


class Needs(msgspec.Struct, frozen=True):
    """`fields` of the profile; None: all of them, for a script may read any. `crowds` and `lists` (black, white) of
    which somebody else than the rules says who is a member."""

    fields: frozenset[str] | None
    crowds: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        fields = None if self.fields is None or other.fields is None else self.fields | other.fields
        return Needs(fields, self.crowds | other.crowds, self.lists | other.lists)


EVERY_FIELD = Needs(None)
"""Whoever has not been told what is needed."""


def needs_of(plan: Plan) -> Needs:
    activities = [*plan.activities.values(), *plan.draining.values()]
    asked = [parse(text).reads for activity in activities for text in expressions_of(activity.spec)]
    named = {name for activity in activities for name in _named_crowds(activity)}
    named |= {name for reads in asked for name in reads.crowds}
    crowds = _reached(named, plan.rules.crowds)
    asked += [parse(crowd.where).reads for crowd in _parts(crowds.values()) if isinstance(crowd, RuleCrowd)]
    fields = {name for reads in asked for name in reads.profile} | {
        name for activity in activities for name in _of_templates(activity)
    }
    scripted = any(map(_has_script, activities))
    if scripted or "crowds" in fields:
        crowds = plan.rules.crowds
    lists = {name: getattr(plan.policy, name) for name in ("black", "white")}
    return Needs(
        None if scripted else ALWAYS | ADDRESSES | fields,
        frozenset(name for name, crowd in crowds.items() if isinstance(crowd, Members) and crowd.users is None),
        frozenset(name for name, listed in lists.items() if listed is not None and listed.users is None),
    )


def _has_script(activity: CompiledActivity) -> bool:
    """Scripts see the whole profile, and nobody can tell what they read of it."""
    spec = activity.spec
    conditions = [condition for step in spec.pattern.steps for condition in (step.where, step.until)]
    conditions += [spec.audience.where, spec.goal.where if spec.goal else None]
    return any(isinstance(condition, Script) for condition in conditions)


def _named_crowds(activity: CompiledActivity) -> Iterator[str]:
    audience = activity.spec.audience
    yield from (*audience.all_of, *audience.any_of, *audience.not_in)
    if isinstance(audience.control, str):
        yield audience.control


def _of_templates(activity: CompiledActivity) -> Iterator[str]:
    for variant in activity.variants:
        for send in variant.sends:
            yield from (name.split(".")[1] for name in send.variables if name.startswith("profile."))


def _reached(names: Iterable[str], crowds: Mapping[str, Crowd]) -> dict[str, Crowd]:
    """These crowds, and those that they are made of."""
    reached: dict[str, Crowd] = {}
    waiting = [name for name in names if name in crowds]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached[name] = crowds[name]
        for crowd in _parts([crowds[name]]):
            waiting += [part for part in _parts_by_name(crowd) if part in crowds]
    return reached


def _parts(crowds: Iterable[Crowd]) -> Iterator[Crowd]:
    """Crowds, and those that are written inside of them."""
    for crowd in crowds:
        yield crowd
        yield from _parts(part for part in getattr(crowd, "parts", ()) if not isinstance(part, str))


def _parts_by_name(crowd: Crowd) -> Iterator[str]:
    if isinstance(crowd, Sample):
        yield from () if crowd.of is None else (crowd.of,)
    elif isinstance(crowd, RuleCrowd):
        yield from parse(crowd.where).reads.crowds
    elif not isinstance(crowd, Members):
        yield from (part for part in crowd.parts if isinstance(part, str))
