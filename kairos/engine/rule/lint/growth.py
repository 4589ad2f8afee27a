"""Patterns of which one user has more open matches than are kept, after a few dozen events."""

from __future__ import annotations

from kairos.engine.expression import Script, parse
from kairos.engine.expression.problem import ExpressionError
from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.rule.lower.activity import Draft

_MOST = 1_000  # of `limits.max_runs`, where it is not set


def check_growth(draft: Draft) -> None:
    """An open repetition and a step after it: each event may be its last, so there is a match for each pair of them."""
    pattern, trigger = draft.activity.pattern, draft.source["trigger"]
    for place, step in enumerate(pattern.steps[:-1]):
        if step.kind != "event" or step.times is None or step.times.most is not None or step.until or step.greedy:
            continue
        if step.inside == "any":
            after, why = 10, f"`inside: any` makes a match of each choice of `{step.name}`"
        elif pattern.after_match.kind != "exclusive" or _read_further(pattern, place):
            after, why = 45, f"each `{step.name}` may be the first of a match, and each later one the last"
        else:
            continue
        node = trigger.keys.get("pattern") or trigger.keys.get("count") or trigger.node
        message = f"trigger: {why}: after {after} of them there are {_MOST:,}, and no more of a user are kept"
        hint = f"compare with {step.name}.first, leave out after_match, or give it a number of times"
        draft.report.warning(node, "many-matches", message, hint)


def _read_further(pattern: Pattern, place: int) -> bool:
    """Whether a step after `place` asks for more of that step's events than the first one: its own `within` for the
    last one."""
    name = pattern.steps[place].name
    return any(step.within is not None or _reads_more(step, name) for step in pattern.steps[place + 1 :])


def _reads_more(step: Step, name: str) -> bool:
    for condition in (step.where, step.until):
        if isinstance(condition, Script):
            return True
        if condition is not None:
            try:
                parts = parse(condition).reads.parts.get(name, frozenset())
            except ExpressionError:  # told elsewhere
                continue
            if parts - {"first"}:
                return True
    return False
