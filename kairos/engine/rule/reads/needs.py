"""What must be known of a user before a program can decide: nothing else is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from kairos.engine.channel import ADDRESSES
from kairos.engine.crowd.spec import Crowd, Members, RuleCrowd, parts_of
from kairos.engine.expression import Script, parse
from kairos.engine.profile.topics import FIELD
from kairos.engine.rule.compile import Program
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.journey import conditions_of, dates_of, expressions_of
from kairos.engine.rule.model import RuleSet

ALWAYS = frozenset({"timezone", "crowds", "lists", "unsubscribed", "dead_addresses", "merged", FIELD})
"""Fields of a profile that the engine itself asks for, beside the addresses."""


class Needs(msgspec.Struct, frozen=True):
    """`fields` of the profile; None: all of them, for a script may read any. `crowds` and `lists` (black, white) of
    which somebody else than the rules says who is a member; `kept`: crowds of which there may be snapshots."""

    fields: frozenset[str] | None
    crowds: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        fields = None if self.fields is None or other.fields is None else self.fields | other.fields
        return Needs(fields, self.crowds | other.crowds, self.lists | other.lists, self.kept | other.kept)


EVERY_FIELD = Needs(None)
"""Whoever has not been told what is needed."""


def needs_of(program: Program) -> Needs:
    """Of what is on trial as well, and of the versions before those that are rolled out."""
    own = _needs(program)
    if program.rollouts:
        own |= _needs(program.outside(program.rolled_out))
    return own | _needs(program.shadow) if program.shadow is not None else own


def _needs(program: Program) -> Needs:
    activities = [*program.activities.values(), *program.draining.values()]
    journeys = [journey.spec for journey in (*program.journeys.values(), *program.draining_journeys.values())]
    asked = [parse(text).reads for activity in activities for text in program.rules.asked_about(activity.spec)]
    asked += [parse(text).reads for journey in journeys for text in expressions_of(journey)]
    named = {name for activity in activities for name in _named_crowds(activity)}
    named |= {name for reads in asked for name in reads.crowds}
    crowds = reached(named, program.rules)
    asked += [parse(crowd.where).reads for crowd in _parts(crowds.values()) if isinstance(crowd, RuleCrowd)]
    fields = {name for reads in asked for name in reads.profile} | {
        name for activity in activities for name in _of_templates(activity)
    }
    fields |= {name for journey in journeys for name in dates_of(journey)}
    scripts = [script for activity in activities for script in activity.spec.scripts()]
    scripts += [script for journey in journeys for script in conditions_of(journey) if isinstance(script, Script)]
    scripted = bool(scripts)  # they see the whole profile
    if scripted or "crowds" in fields:
        crowds = program.rules.crowds
    lists = {name: getattr(program.policy, name) for name in ("black", "white")}
    return Needs(
        None if scripted else ALWAYS | ADDRESSES | fields,
        frozenset(name for name, crowd in crowds.items() if isinstance(crowd, Members) and crowd.users is None),
        frozenset(name for name, listed in lists.items() if listed is not None and listed.users is None),
        frozenset(name for name in crowds if name in program.rules.kept),
    )


def _named_crowds(activity: CompiledActivity) -> Iterator[str]:
    audience = activity.spec.audience
    yield from (*audience.all_of, *audience.any_of, *audience.not_in)
    if isinstance(audience.control, str):
        yield audience.control


def _of_templates(activity: CompiledActivity) -> Iterator[str]:
    for variant in activity.variants:
        for send in variant.sends:
            yield from (name.split(".")[1] for name in send.variables if name.startswith("profile."))


def reached(names: Iterable[str], rules: RuleSet) -> dict[str, Crowd]:
    """These crowds, and those that they are made of; what a kept one is made of is the warehouse's affair."""
    crowds = rules.crowds
    reached: dict[str, Crowd] = {}
    waiting = [name for name in names if name in crowds]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached[name] = crowds[name]
        if name not in rules.kept:
            for crowd in _parts([crowds[name]]):
                waiting += [part for part in _parts_by_name(crowd) if part in crowds]
    return reached


def _parts(crowds: Iterable[Crowd]) -> Iterator[Crowd]:
    """Crowds, and those that are written inside of them."""
    for crowd in crowds:
        yield crowd
        yield from _parts(part for part in parts_of(crowd) if not isinstance(part, str))


def _parts_by_name(crowd: Crowd) -> Iterator[str]:
    if isinstance(crowd, RuleCrowd):
        yield from parse(crowd.where).reads.crowds
    yield from (part for part in parts_of(crowd) if isinstance(part, str))
