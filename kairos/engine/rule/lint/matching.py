"""Groups that compete: their scores, what each candidate is worth, and the budgets that they share."""

from __future__ import annotations

from dataclasses import replace

from kairos.engine.expression import Names
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint import scopes
from kairos.engine.rule.lint.expressions import NUMBER, Checked, check_expression
from kairos.engine.rule.lint.references import check_name
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.model import MEASURED
from kairos.engine.rule.text.report import Report, listed
from kairos.engine.rule.text.scalars import spell_duration

WORTH = ("uplift", "value", "cost")


def score_names(world: World) -> Names:
    """A score is asked about a candidate: bare names are what it is worth, and there is no event."""
    return replace(scopes.crowd_names(world), bare=True, props=dict.fromkeys(WORTH, "number"), props_of="a candidate")


def check_groups(policy: Value, world: World, report: Report) -> dict[str, Checked]:
    """Group -> its score, of those whose score stands."""
    found = {}
    for name, group in policy["matching"].items() if "matching" in policy else ():
        score = group.find("score")
        if score and (checked := check_expression(score, "score", score_names(world), world, report, NUMBER)):
            found[name] = checked
        if group.plain("losers") == "retry" and not ("per" in group or group.plain("collect")):
            message = "losers: with neither 'per' nor 'collect' there is no next slot that they could wait for"
            report.error(group["losers"].node, "no-next-slot", message, "per: 1d")
    return found


def check_matching(draft: Draft, scores: dict[str, Checked], world: World) -> None:
    """`draft`: an activity, or a message of a journey. `scores`: by group."""
    source, report, spec = draft.source, draft.report, draft.activity
    if group := source.find("matching"):
        check_name(group, "matching", "group", world.group_names, report, "policy.yaml")
        if not {"send", "variants"} & source.keys.keys():
            message = "matching: without 'send' this activity is a watch, which competes with nobody"
            report.error(group.node, "wrong-form", message, "add `send`, or remove it")
        _check_said(draft, group, scores.get(group.data))
        _check_window(draft, group, world)
    budget, shared = source.find("limits", "budget"), spec.limits.shared
    if budget and shared is not None:
        check_name(budget, "budget", "budget", world.budget_names, report, "policy.yaml")
    if shared is not None and spec.part != "entry":
        if source.find("worth", "cost") is None and not source.broken:
            place = budget or source["send"]  # of a journey the budget is said for all messages
            message = f"budget: nothing says what a message costs of '{shared}'"
            report.error(place.node, "missing-key", message, "worth: {cost: 0.05}")
    elif "worth" in source.keys and "matching" not in source.keys:
        message = "worth: nobody asks what it is worth: it competes in no group and spends no shared budget"
        report.warning(source.keys["worth"], "idle-field", message, "matching: NAME")
    if spec.worth is not None and spec.worth.uplift == MEASURED and spec.goal is None and not spec.part:
        message = "uplift: it is measured by the goal, and there is none: what was never measured is 0"
        report.warning(source["worth"]["uplift"].node, "never-measured", message, "goal: {event: ..., within: ...}")


def _check_window(draft: Draft, group: Value, world: World) -> None:
    """Whoever opens the window waits for all of it."""
    rules, last = world.policy.matching.get(group.data), draft.activity.limits.send_before
    if rules is not None and last is not None and rules.collect > last:
        collect, limit = spell_duration(rules.collect), spell_duration(last)
        waits = f"'{group.data}' collects for {collect}, and after {limit} the message is pointless: it expires"
        hint = "a shorter `collect`, or a longer `send_before`"
        draft.report.warning(group.node, "expires-waiting", f"matching: {waits}", hint)


def _check_said(draft: Draft, group: Value, score: Checked | None) -> None:
    """Whatever the group's score reads has to be said: an unknown worth never wins."""
    worth = draft.source.find("worth")
    read = score.expression.reads.props if score is not None else frozenset({"uplift", "value"})
    missing = [name for name in WORTH[:2] if name in read and (worth is None or name not in worth.keys)]
    if missing and not draft.source.broken:
        message = f"matching: the score of '{group.data}' reads {listed(missing, 'and')}, which `worth` does not say"
        draft.report.error(group.node, "missing-key", message, "worth: {value: 30, uplift: 0.02}")
