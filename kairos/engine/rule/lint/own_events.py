"""What Kairos did, named in a trigger: activities and crowds that do not exist, and activities that follow each other
in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kairos.engine.pattern.graph import is_optional
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.journey import Choose, Journey, JourneyStep, Message, Split, parts_of
from kairos.engine.rule.lint.folder.cycles import said, ways_round
from kairos.engine.rule.lint.references import check_name
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.lower.trigger import kind_of, own_event
from kairos.engine.rule.reads.followed import activities_in
from kairos.engine.rule.text.report import Report

AT_ONCE = frozenset({"message.sent", "message.delivered", "message.failed"})
"""What follows a decision with nobody doing anything in between."""


def check_own_names(sources: Iterable[Value], activities: Iterable[str] | None, world: World, report: Report) -> None:
    """`sources`: steps as they are written. `activities` None: one could not be read, so any name may be meant."""
    for source in sources:
        kind = kind_of(source)
        if kind is None or (own := own_event(source, kind)) is None:
            continue
        crowd = own.prop == "crowd"
        known, file = (world.crowd_names, "crowds.yaml") if crowd else (activities, "activities/")
        for name in own.names.each():
            check_name(name, own.type.partition(".")[2], own.prop, known, report, file)


def check_circles(drafts: Iterable[Draft], journeys: Iterable[Journey]) -> None:
    """Activities each of which begins at once when the one before it has sent would never come to an end.

    `drafts`: entries of journeys among them. A journey is on such a way by what it sends before its first wait, where
    it may be entered again at once.
    """
    by_name = {draft.name: draft for draft in drafts}
    whose = {journey.part(key): journey.name for journey in journeys if journey.reenter == "each"
             for key in _at_once(journey.steps)[0]}  # fmt: skip
    senders = frozenset({*whose.values(), *(name for name, draft in by_name.items() if draft.sends())})
    begun_by = {name: _begun_by(by_name[name], senders, whose) if name in senders else set() for name in by_name}
    for name, way in ways_round(by_name, begun_by).items():
        message = f"trigger: {said(way)}: each begins when the next has sent, with no time between: an endless cycle"
        hint = "put time between: `- absent: ...` as the last step, with `within`"
        by_name[name].report.error(by_name[name].source.keys["trigger"], "activity-cycle", message, hint)


def _at_once(steps: tuple[JourneyStep, ...]) -> tuple[set[str], bool]:
    """The keys of what may be sent before time passes, and whether somebody may come to the end of these steps so."""
    sent: set[str] = set()
    for step in steps:
        if isinstance(step, Message):
            sent.add(step.key)
        elif isinstance(step, Choose | Split):
            found = [_at_once(part) for part in parts_of(step)]
            sent = sent.union(*(keys for keys, _ in found))
            past = isinstance(step, Choose) and all(branch.when is not None for branch in step.branches)
            if not past and step.when is None and not any(through for _, through in found):
                return sent, False
        elif step.when is None:
            return sent, False
    return sent, True


def _begun_by(draft: Draft, senders: frozenset[str], whose: Mapping[str, str]) -> set[str]:
    """The activities whose messages alone complete this trigger, at once."""
    steps = draft.activity.pattern.steps
    needed = [step for step in steps if step.kind == "event" and not is_optional(step)]
    if steps[-1].kind == "absent" or not needed or any(not AT_ONCE.intersection(step.types) for step in needed):
        return set()
    return {whose.get(name, name) for step in needed for name in activities_in(step.where) or senders} & senders
