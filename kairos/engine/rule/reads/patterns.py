"""What the conditions of an activity read: of its first event, of events that must be kept for it."""

from __future__ import annotations

from kairos.engine.expression import Expression, parse
from kairos.engine.expression.condition import Condition, Script
from kairos.engine.expression.javascript import script_reads
from kairos.engine.expression.reads import Reads
from kairos.engine.pattern.graph import is_optional
from kairos.engine.pattern.spec import Pattern
from kairos.engine.rule.model import Activity, OncePer


def opening(pattern: Pattern) -> Expression | None:
    """The condition of the first event of every match, where it is known and no script."""
    first = pattern.steps[0] if pattern.steps else None
    if first is None or is_optional(first) or first.where is None or isinstance(first.where, Script):
        return None
    return parse(first.where)


def kept_props(spec: Activity, *further: Condition | str) -> dict[str, frozenset[str]]:
    """Step name -> props of its events that are read later, so must be kept; "" stands for every step.

    Bare names in `data` and in the audience mean the last matched event, which may be of any step. "*" among the props:
    all of them, for a script may read any. `further`: what else reads them, as data does.
    """
    kept: dict[str, frozenset[str]] = {"": frozenset({"instead", "slot"} if spec.schedule is not None else ())}
    readers: list[Condition] = [*spec.expressions(), *spec.scripts(), *further]
    for condition in readers:
        for step, props in reads_of(condition).steps.items():
            kept[step] = kept.get(step, frozenset()) | props
    whole = [spec.audience.where] if spec.audience.where else []
    for condition in [*spec.data_expressions(), *further, *whole]:
        kept[""] |= reads_of(condition).props
    if isinstance(spec.limits.once, OncePer):
        kept[""] |= {spec.limits.once.per}
    return kept


def reads_of(condition: Condition) -> Reads:
    """What a condition reads, an expression or a script."""
    return script_reads(condition.js) if isinstance(condition, Script) else parse(condition).reads
