"""Time and repetition: what is valid, and probably not meant. All of these are warnings."""

from __future__ import annotations

from kairos.engine.channel import WAKES_NOBODY
from kairos.engine.expression.tree import Comparison, Field, Literal, Node, Prop, StepProp, walk
from kairos.engine.metric.aggregates import AGGREGATES
from kairos.engine.metric.spec import Metric
from kairos.engine.pattern import longest_match
from kairos.engine.rule.lint.expressions import Checked
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.scalars import HOUR, spell_duration


def check_temporal(draft: Draft, world: World, checked: list[Checked]) -> None:
    _unbounded(draft)
    _never_binds(draft)
    _double_payout(draft)
    _quiet_hours(draft, world)
    for found in checked:
        _cold_start(found, world)
        if found.step:
            _redundant_per(draft, found)


def _unbounded(draft: Draft) -> None:
    """Several steps without `within`: runs are kept for ever, and a match may span years."""
    pattern, trigger = draft.activity.pattern, draft.source["trigger"]
    events = sum(max(1, step.times.least if step.times else 1) for step in pattern.steps if step.kind == "event")
    if longest_match(pattern) is None and events > 1 and draft.trigger.complete and pattern.steps[-1].kind != "absent":
        node = trigger.keys.get("pattern") or trigger.keys.get("count") or trigger.node
        message = "trigger: without 'within' a begun match waits for ever for the rest, and its state is kept"
        draft.report.warning(node, "unbounded-wait", message, "within: 7d")


def _never_binds(draft: Draft) -> None:
    """A step's own `within`, where the whole is over no later."""
    pattern = draft.activity.pattern
    if pattern.within is None:
        return
    for step, source in zip(pattern.steps[1:], draft.trigger.sources[1:], strict=True):
        if step.within is not None and step.within >= pattern.within and "within" in source:
            message = f"within: the whole match is over after {spell_duration(pattern.within)}, so this never binds"
            draft.report.warning(source["within"].node, "never-binds", message, "shorter than the trigger's `within`")


def _double_payout(draft: Draft) -> None:
    """Overlapping matches of a repetition each send: the fourth purchase pays the three-purchases coupon again."""
    activity = draft.activity
    kind = activity.pattern.after_match.kind
    sends = bool(activity.send or activity.variants)
    repeats = sum(s.times.least if s.times else 1 for s in activity.pattern.steps if s.kind == "event") > 1 or any(
        step.times for step in activity.pattern.steps
    )
    if sends and kind in ("no_skip", "skip_to_next") and repeats and activity.limits.once == "occurrence":
        place = draft.source["trigger"]["after_match"].node
        message = f"after_match: with {kind} overlapping matches each send: one event may pay out twice"
        draft.report.warning(place, "double-payout", message, "exclusive (the default), or limits: {once: 1d}")


def _quiet_hours(draft: Draft, world: World) -> None:
    """Quiet hours that leave next to nothing of the day."""
    quiet, limits = world.policy.quiet_hours, draft.activity.limits
    waking = [place for send, place in draft.sends() if send.channel not in WAKES_NOBODY]
    if quiet is None or limits.quiet_hours == "ignore" or not waking:
        return
    length = ((quiet.end - quiet.start) % (24 * 60)) * 60_000
    if length >= 23 * HOUR:
        message = f"activity: quiet hours of {spell_duration(length)} leave next to no time to send"
        draft.report.warning(draft.source.keys["activity"], "always-quiet", message, "see quiet_hours in policy.yaml")


def _redundant_per(draft: Draft, checked: Checked) -> None:
    per = draft.activity.pattern.per
    if per is None:
        return
    for node in walk(checked.expression.tree):
        if isinstance(node, Comparison) and _compares(node, per):
            message = f"{checked.field}: 'per: {per}' already sees to it that {per} is the same"
            checked.report.inside(
                checked.value.node, node.start, "warning", "redundant-per", message, "remove the comparison"
            )


def _compares(node: Comparison, per: str) -> bool:
    """`per == step.per`, either way round."""
    if len(node.rest) != 1 or node.rest[0][0] != "==":
        return False
    sides = (node.first, node.rest[0][1])
    bare = any(isinstance(side, Prop) and side.name == per for side in sides)
    step = any(isinstance(side, StepProp) and side.prop == per for side in sides)
    return bare and step


def _cold_start(checked: Checked, world: World) -> None:
    """`== 1` of a count since ever: until it is seeded, an old customer looks like a new one."""
    for node in walk(checked.expression.tree):
        if not isinstance(node, Comparison):
            continue
        operands: list[Node] = [node.first, *(operand for _, operand in node.rest)]
        for operand in operands:
            if isinstance(operand, Field) and operand.root in ("metric", "prior") and _small(operands):
                metric = world.metrics.get(operand.name)
                if metric is not None and metric.window is None and _counts_up(metric):
                    message = (
                        f"{checked.field}: {operand.root}.{operand.name} has no window and counts from its first "
                        "release: an old customer looks like a new one"
                    )
                    hint = "publish it with --seed EVENTS, or give it a window"
                    checked.report.inside(checked.value.node, operand.start, "warning", "cold-start", message, hint)


def _counts_up(metric: Metric) -> bool:
    return metric.function in AGGREGATES and AGGREGATES[metric.function].counts_up


def _small(operands: list[Node]) -> bool:
    """Compared with a number that a new metric passes soon."""
    values = [node.value for node in operands if isinstance(node, Literal)]
    return any(isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10 for value in values)
