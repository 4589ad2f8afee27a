"""Journeys: ids, bounds, steps that nobody comes to, and every expression where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from kairos.engine.expression import Names, StepNames
from kairos.engine.rule.fields.journey import MOST_LEVELS, MOST_STEPS
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.journey import (
    LEFT,
    LONGEST,
    Choose,
    JourneyStep,
    Message,
    Split,
    Wait,
    WaitFor,
    longest_way,
    parts_of,
)
from kairos.engine.rule.lint import scopes
from kairos.engine.rule.lint.dates import check_dates
from kairos.engine.rule.lint.expressions import (
    CONDITION,
    NUMBER,
    Checked,
    check_activity,
    check_expression,
    with_coupons,
    worth_in,
)
from kairos.engine.rule.lint.growth import check_growth
from kairos.engine.rule.lint.idle import check_fallbacks
from kairos.engine.rule.lint.journey.journey_places import Place, places_in
from kairos.engine.rule.lint.own_events import check_own_names
from kairos.engine.rule.lint.pattern import WORDS, check_trigger
from kairos.engine.rule.lint.per_metrics import check_per_metrics
from kairos.engine.rule.lint.references import check_references, check_types
from kairos.engine.rule.lint.shape import check_shape
from kairos.engine.rule.lint.temporal import check_temporal
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.journey import JourneyDraft, written_steps
from kairos.engine.rule.text.report import nearest
from kairos.engine.rule.text.scalars import DAY, spell_duration


def check_journey(draft: JourneyDraft, activities: frozenset[str] | None, world: World, today: int | None) -> None:
    """`activities`: every name that a short form may mean; None: any."""
    places = list(places_in(draft.journey))
    checked = [*check_activity(draft.entry, world), *_conditions(draft, places, world), *_data(draft, places, world)]
    check_trigger(draft.entry)
    check_references(draft.entry, world)
    check_own_names([*draft.entry.trigger.sources, *_waited(draft), *_exits(draft)], activities, world, draft.report)
    check_dates(draft.entry, world, today)
    check_per_metrics(draft.entry, world, checked)
    if not draft.source.broken:
        check_temporal(draft.entry, world, checked)
        check_growth(draft.entry)
    for message in draft.messages:
        check_shape(message, world)
        check_fallbacks(message)
    _check_head(draft)
    _check_ids(draft)
    _check_bounds(draft, places)
    _check_reached(draft, places)
    for place in places:
        _check_step(draft, place.step, world)
    for source in _exits(draft):
        check_types(source.find("event"), "exit: event", world, draft.report)


def _check_head(draft: JourneyDraft) -> None:
    source, report = draft.source, draft.report
    if (limits := source.find("limits")) and "once" in limits:
        message = "once: `reenter` says how often a user comes into a journey"
        report.error(limits.keys["once"], "wrong-form", message, "reenter: never, {after: 30d} or each")
    if draft.journey.reenter == "each" and draft.journey.per is None and draft.entry.trigger.complete:
        message = "reenter: with `each` the runs of a user are told apart by `per`, and the trigger has none"
        report.error(source["reenter"].node, "missing-key", message, "trigger: {event: ..., per: order_id}")


def _check_ids(draft: JourneyDraft) -> None:
    """Each id is there once, is no word of the language, and no step of the trigger."""
    steps = {step.name for step in draft.entry.activity.pattern.steps}
    first: dict[str, int] = {}
    for source in written_steps(draft.source["steps"]):
        if (named := source.find("id")) is None:
            _check_missing_id(draft, source)
            continue
        name, message, hint = named.data, None, "give it another id"
        if name in first:
            message = f"id: '{name}' is there twice, already on line {first[name]}"
        elif name in WORDS or name == LEFT:
            what = (
                "the end of the journey is recorded so" if name == LEFT else "it is a word of the expression language"
            )
            message = f"id: '{name}' is taken: {what}"
        elif name in steps:
            message = f"id: '{name}' is a step of the trigger already"
        if message:
            draft.report.error(named.node, "duplicate-id" if name in first else "reserved-name", message, hint)
        first.setdefault(name, named.node.line)


def _check_missing_id(draft: JourneyDraft, source: Value) -> None:
    if "id" in source.keys:
        return  # it cannot be read, which is told
    if "send" in source.keys:
        message = "send: a message needs an id: its records are those of `<journey>.<id>`"
        draft.report.error(source.keys["send"], "missing-key", message, "{id: hello, send: ...}")
    elif "split" in source.keys:
        message = "split: it needs an id, by which users are dealt out: without one a step put in before it deals anew"
        draft.report.warning(source.keys["split"], "missing-key", message, "{id: texts, split: ...}")


def _check_bounds(draft: JourneyDraft, places: list[Place]) -> None:
    node = draft.source.keys["steps"]
    if len(places) > MOST_STEPS:
        message = f"steps: there are {len(places)}, and a journey has {MOST_STEPS} at most"
        draft.report.error(node, "too-many-steps", message, "end it, and begin another journey on a later event")
    deep = next((place for place in places if place.level > MOST_LEVELS), None)
    if deep is not None:
        message = f"steps: nested more than {MOST_LEVELS} levels deep"
        draft.report.error(
            draft.places[deep.step.key].node, "too-deep", message, "put conditions together in one `when`"
        )
    longest = longest_way(draft.journey.steps)
    if longest > LONGEST:
        message = f"steps: the longest way takes {spell_duration(longest)}, and a journey {LONGEST // DAY}d at most"
        draft.report.error(node, "too-long", message, "end it, and begin another journey on a later event")


def _check_reached(draft: JourneyDraft, places: list[Place]) -> None:
    """Of what nobody comes to, the first step tells it."""
    dead = next((place for place in places if not place.reached), None)
    if dead is not None:
        message = "steps: nobody comes to this step: every way before it ends, or another one is always taken"
        hint = "remove it, or say `when` the journey ends or turns off before it"
        draft.report.error(draft.places[dead.step.key].node, "unreachable-step", message, hint)


def _check_step(draft: JourneyDraft, step: JourneyStep, world: World) -> None:
    source, report = draft.places[step.key], draft.report
    of_message = dict.fromkeys(("data", "matching", "worth", "on_suppress"), "send")
    for key, owner in {**of_message, "otherwise": "wait_for"}.items():
        if key in source.keys and owner not in source.keys:
            report.error(source.keys[key], "wrong-form", f"{key}: it goes with `{owner}` only", "remove it")
    if isinstance(step, Wait) and isinstance(source["wait"].data, dict):
        _check_wait(draft, source["wait"], world)
    elif isinstance(step, WaitFor):
        check_types(source.find("wait_for", "event"), "wait_for: event", world, report)
    elif isinstance(step, Choose):
        _check_branches(draft, source["choose"])
    elif isinstance(step, Split):
        names = [arm.plain("name") for arm in source["split"].each() if "name" in arm]
        for twice in {name for name in names if names.count(name) > 1}:
            report.error(source.keys["split"], "duplicate-arm", f"split: there are two arms '{twice}'", "rename one")


def _check_branches(draft: JourneyDraft, choose: Value) -> None:
    ways = choose.each()
    for before, way in pairwise(ways):
        if "when" not in before.keys:
            message = "choose: this branch is never taken: the one before it has no `when`, so it always is"
            draft.report.error(way.node, "unreachable-step", message, "the branch without `when` is the last one")
            return


def _check_wait(draft: JourneyDraft, wait: Value, world: World) -> None:
    report, keys = draft.report, wait.keys
    if not {"days", "at", "until"} & keys.keys():
        report.error(wait.node, "missing-key", "wait: one of days, at or until is missing", '{days: 2, at: "10:00"}')
    if "until" in keys and (other := next((key for key in ("days", "on") if key in keys), None)):
        report.error(keys[other], "wrong-form", f"wait: '{other}' does not go with 'until'", "remove one of them")
    if "on" in keys and "at" not in keys:
        report.error(keys["on"], "missing-key", "wait: 'at' is missing: at which time of that day", 'at: "10:00"')
    if {"before", "after"} <= keys.keys():
        report.error(keys["after"], "too-many-kinds", "wait: 'before' and 'after' exclude each other: keep one")
    for key in ("before", "after"):
        if key in keys and "until" not in keys:
            report.error(keys[key], "wrong-form", f"wait: '{key}' goes with `until` only", "until: profile.trial_ends")
    if (until := wait.find("until")) and world.profile is not None:
        _check_date_field(draft, until, world.profile)


def _check_date_field(draft: JourneyDraft, until: Value, profile: Mapping[str, str]) -> None:
    name = until.data.removeprefix("profile.")
    if name not in profile:
        message = f"until: '{name}' is not a declared field of the profile"
        draft.report.error(until.node, "unknown-profile-field", message, nearest(name, profile))
    elif profile[name] not in ("date", "time"):
        message = f"until: '{name}' is {profile[name]}; a date or a time can be waited for"
        draft.report.error(until.node, "type-mismatch", message)


# -------------------------------------------------------------------------------------------------------- expressions
def _conditions(draft: JourneyDraft, places: list[Place], world: World) -> Iterator[Checked]:
    for place in places:
        source, names = draft.places[place.step.key], _names(draft, place, world)
        asked = [("when", source.find("when"), names)]
        if isinstance(place.step, WaitFor):
            types = place.step.event.types
            own = replace(names, props=world.props(types), props_of=scopes.said(types), messages=None)
            asked.append(("where", source.find("wait_for", "where"), own))
        elif isinstance(place.step, Choose):
            asked += [("when", way.find("when"), names) for way in source["choose"].each()]
        for field, value, known in asked:
            if value and (checked := check_expression(value, field, known, world, draft.report, CONDITION)):
                yield checked
    events = frozenset(place.step.event.name for place in places if isinstance(place.step, WaitFor))
    for source, step in zip(_exits(draft), draft.journey.exits, strict=False):
        known = _names(draft, None, world, events)
        known = replace(known, props=world.props(step.types), props_of=scopes.said(step.types), messages=None)
        if (where := source.find("where")) and (
            checked := check_expression(where, "where", known, world, draft.report, CONDITION)
        ):
            yield checked


def _exits(draft: JourneyDraft) -> list[Value]:
    return draft.source["exit"].each() if "exit" in draft.source else []


def _waited(draft: JourneyDraft) -> list[Value]:
    return [wait for source in written_steps(draft.source["steps"]) if (wait := source.find("wait_for"))]


def _data(draft: JourneyDraft, places: list[Place], world: World) -> Iterator[Checked]:
    for place in places:
        if not isinstance(place.step, Message):
            continue
        names, source = _names(draft, place, world), draft.places[place.step.key]
        for owner in (source, *(source["send"].each())):
            for name, value in owner["data"].items() if "data" in owner else ():
                if checked := check_expression(value, f"data.{name}", with_coupons(names, world), world, draft.report):
                    yield checked
        for name, value in worth_in(source):
            if checked := check_expression(value, name, names, world, draft.report, NUMBER):
                yield checked


def _names(draft: JourneyDraft, place: Place | None, world: World, events: frozenset[str] = frozenset()) -> Names:
    """Steps of the trigger, ids of `wait_for`, messages; bare names are the props of the last of these events."""
    names = scopes.match_names(draft.entry.activity.pattern, world)
    come = place.events if place else events
    waits = {step.event.name: step.event for step in _waits(draft.journey.steps)}
    steps = {**names.steps, **{name: StepNames(world.props(waits[name].types)) for name in come}}
    return replace(
        names,
        props=None if come else names.props,
        steps=steps,
        forbidden={**names.forbidden, **(place.absent if place else {})},
        messages=place.messages if place else None,
    )


def _waits(steps: tuple[JourneyStep, ...]) -> Iterator[WaitFor]:
    for step in steps:
        if isinstance(step, WaitFor):
            yield step
        for part in parts_of(step):
            yield from _waits(part)
