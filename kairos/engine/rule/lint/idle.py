"""What is written and can have no effect: fields that wait for nothing, audiences of nobody."""

from __future__ import annotations

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.lower.variants import variants_in
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import listed
from kairos.engine.rule.text.scalars import spell_duration

_NEEDS_SEND = ("budget", "send_before", "quiet_hours", "send_window")


def check_idle(draft: Draft) -> None:
    """Warnings only. Expects an activity that could be read as a whole."""
    if draft.source.keys.keys() & {"send", "variants"}:
        check_fallbacks(draft)
        _nobody_contacted(draft)
    else:
        _watch(draft)
    _audience_of_nobody(draft)
    _variants(draft)
    _trial(draft)
    _contiguity(draft)
    _instant(draft)


def _watch(draft: Draft) -> None:
    """A watch contacts nobody: of the limits only `once` applies."""
    limits = draft.source.find("limits")
    for key in _NEEDS_SEND:
        if limits and key in limits:
            message = f"{key}: without 'send' this activity is a watch, to which it does not apply"
            _warn(draft, limits.keys[key], message, "add `send`, or remove it")


def check_fallbacks(draft: Draft) -> None:
    """`after` and `unless` wait for an entry before them, and `unless` only if there is an `after`."""
    for sends in _lists(draft):
        for number, entry in enumerate(sends):
            if number == 0 and "after" in entry:
                message = "after: the first entry of `send` waits for nothing: there is none before it"
                _warn(draft, entry["after"].node, message, "write it in the entry that falls back")
            elif "unless" in entry and "after" not in entry:
                message = "unless: without 'after' a fallback is used on failure only, whatever the receipts"
                _warn(draft, entry["unless"].node, message, "after: 5m")
        _too_late(draft, sends)


def _lists(draft: Draft) -> list[list[Value]]:
    places = [draft.source.find("send"), *(variant.find("send") for variant in variants_in(draft.source))]
    return [place.each() for place in places if place is not None]


def _too_late(draft: Draft, sends: list[Value]) -> None:
    """A fallback that comes after `send_before` is over is never sent."""
    limit, waited = draft.activity.limits.send_before, 0
    for entry in sends:
        waited += entry.plain("after") or 0
        if limit is not None and "after" in entry and waited >= limit:
            message = (
                f"after: the fallback would come {spell_duration(waited)} after the first, when `send_before` is over"
            )
            _warn(draft, entry["after"].node, message, f"less than {spell_duration(limit)} in all")
            return


def _nobody_contacted(draft: Draft) -> None:
    control = draft.source.find("audience", "control_group")
    if control and control.data == 1:
        message = "control_group: with 100% everyone is in the control group: nobody is ever contacted"
        _warn(draft, control.node, message, "leave out `send` to watch only")


def _audience_of_nobody(draft: Draft) -> None:
    audience, place = draft.activity.audience, draft.source.find("audience", "not_in")
    if place is None:
        return
    excluded = set(audience.not_in)
    both = [name for name in audience.all_of if name in excluded]
    if audience.any_of and set(audience.any_of) <= excluded:
        both += [name for name in audience.any_of if name not in both]
    if both:
        message = f"not_in: {listed(both, 'and')} is also asked for: the audience is empty, nobody ever fits"
        draft.report.warning(place.node, "empty-audience", message, "remove it from one of the two")


def _variants(draft: Draft) -> None:
    """Texts are compared by what people do after them."""
    if len(draft.activity.variants) > 1 and "goal" not in draft.source and draft.best is None:
        message = "variants: without a goal nobody can tell which of them is better"
        _warn(draft, draft.source.keys["variants"], message, "goal: {event: ..., within: ...}")


def _trial(draft: Draft) -> None:
    """`shadow` stands beside what is in force, and guardrails guard a rollout."""
    source = draft.source
    if "shadow" in source and draft.activity.state == "shadow":
        message = "shadow: with `state: shadow` the whole activity is on trial, and nothing stands beside it"
        _warn(draft, source["shadow"].node, message, "remove it, or another state")
    if "guardrails" in source and "rollout" not in source:
        message = "guardrails: without 'rollout' there is nothing to guard: everyone has this version"
        _warn(draft, source.keys["guardrails"], message, "rollout: 5%")


def _contiguity(draft: Draft) -> None:
    for number, source in enumerate(draft.trigger.sources):
        if "next" in source and (number == 0 or "event" not in source):
            why = "the first step has none before it" if number == 0 else "it is said by the kind of step"
            _warn(draft, source.keys["next"], f"next: contiguity has no meaning here: {why}", "remove it")


def _instant(draft: Draft) -> None:
    """One event spans no time."""
    pattern, within = draft.activity.pattern, draft.source.find("trigger", "within")
    if within and len(pattern.steps) == 1 and pattern.steps[0].times is None:
        message = "within: the pattern is one event, which spans no time: nothing waits for anything"
        hint = "what waits has a second step: `- absent: <event>` for what must not happen in that time"
        _warn(draft, draft.source["trigger"].keys["within"], message, hint)


def _warn(draft: Draft, node: Node, message: str, hint: str) -> None:
    draft.report.warning(node, "idle-field", message, hint)
