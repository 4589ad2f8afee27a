"""Triggers: the keys of each form, step names, and what cannot work in a pattern."""

from __future__ import annotations

from kairos.engine.expression.translate import RESERVED
from kairos.engine.pattern import check_pattern
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.fields.trigger import TRIGGER, TRIGGER_KEYS
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import Report, listed

WORDS = RESERVED | {"and", "or", "not", "in", "if", "else", "is", "true", "false", "null", "True", "False", "None"}


def check_trigger(draft: Draft) -> None:
    trigger = draft.source["trigger"]
    _check_form(trigger, draft.report)
    _check_names(draft)
    _check_times(draft)
    if not draft.trigger.complete:
        return
    for problem in check_pattern(draft.activity.pattern):
        if problem.code == "bad_times":
            continue  # reported above, as written
        node = _place(draft, problem.step_index, problem.code, problem.message)
        draft.report.error(node, problem.code.replace("_", "-"), f"trigger: {problem.message}", problem.hint)


def _check_form(trigger: Value, report: Report) -> None:
    forms = [key for key in TRIGGER.choose if key in trigger.keys]
    if len(forms) != 1:
        return
    form = forms[0]
    for key, node in trigger.keys.items():
        if key not in TRIGGER_KEYS[form] and key not in TRIGGER.choose and TRIGGER.field(key):
            keys = listed(TRIGGER_KEYS[form], "and")
            message = f"trigger: '{key}' does not go with '{form}': the keys of this form are {keys}"
            hint = "write it inside a step" if form == "pattern" else "write a `pattern` for more"
            report.error(node, "wrong-form", message, hint)
    if form == "count" and "times" not in trigger.keys:
        report.error(trigger.keys["count"], "missing-key", "trigger: 'times' is missing: how often", "times: 3")


def _check_names(draft: Draft) -> None:
    for step, source in zip(draft.activity.pattern.steps, draft.trigger.sources, strict=True):
        named = source.find("as")
        if step.name in WORDS and (named or step.kind == "event"):
            node = named.node if named else source.keys.get(step.kind, source.node)
            message = f"as: '{step.name}' is a word of the expression language and cannot be a step's name"
            draft.report.error(node, "reserved-name", message, "give it another name: `as: ...`")


def _check_times(draft: Draft) -> None:
    """As written: a `max` of 0, or one below `min`."""
    for source in draft.trigger.sources:
        times = source.find("times")
        if times is None or isinstance(times.data, int) or "min" not in times or "max" not in times:
            continue
        least, most = times.plain("min"), times.plain("max")
        if least > most:
            message = f"times: min {least} is more than max {most}"
            draft.report.error(times.keys["min"], "bad-times", message, f"{{min: {most}, max: {least}}}")


def _place(draft: Draft, index: int | None, code: str, message: str) -> Node:
    """A problem of one key stands at that key, one of a step at the step."""
    trigger = draft.source["trigger"]
    if index is None:
        after = trigger.find("after_match")
        return after.node if after and code == "unknown_skip_target" else trigger.node
    source = draft.trigger.sources[index]
    for key, node in source.keys.items():
        if f"`{key}`" in message and key not in ("event", "absent", "not_next"):
            return node
    return source.node
