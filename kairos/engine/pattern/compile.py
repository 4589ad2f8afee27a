"""From a pattern to its matcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from hashlib import sha256

from kairos.engine.expression.condition import Condition
from kairos.engine.pattern.after_match import after_match
from kairos.engine.pattern.automaton import Automaton
from kairos.engine.pattern.conditions import Conditions, Predicate
from kairos.engine.pattern.graph import build_graph, is_optional
from kairos.engine.pattern.matcher import Matcher
from kairos.engine.pattern.never import Never
from kairos.engine.pattern.runs import ALL_PROPS
from kairos.engine.pattern.single import Single
from kairos.engine.pattern.spec import Pattern, Step, Times


def compile_pattern(
    pattern: Pattern,
    compile_condition: Callable[[Condition], Predicate],
    reads: Mapping[str, frozenset[str]],
    max_runs: int,
) -> Matcher:
    """The matcher of a pattern that `check_pattern` finds no error in.

    `reads`: step name -> the props that must be kept of the events it takes ("*": all); under "" those of every event.
    `max_runs`: how many partial matches one partition may hold; beyond it no new ones are kept (`Runs.dropped`).
    """
    keeps = _keeps(pattern, reads)
    shape = pattern_shape(pattern)
    if not pattern.steps:
        return Never(shape)
    conditions = Conditions(pattern.steps, compile_condition)
    first = pattern.steps[0]
    if len(pattern.steps) == 1 and first.times in (None, Times(1, 1)):
        asked = conditions.asked[0]
        return Single(first.name, None if asked is None else asked.holds, shape, keeps)
    return Automaton(pattern, shape, build_graph(pattern), conditions, after_match(pattern), keeps, max_runs)


def pattern_shape(pattern: Pattern) -> str:
    """Equal for patterns whose runs mean the same: all but conditions and how long `within` and those of steps are."""
    what = (
        tuple(_step_shape(step) for step in pattern.steps),
        not pattern.ends_by_time,
        pattern.within_kind,
        (pattern.after_match.kind, pattern.after_match.step),
        pattern.per,
    )
    return sha256(repr(what).encode()).hexdigest()[:16]


def _step_shape(step: Step) -> tuple[object, ...]:
    times = None if step.times is None else (step.times.least, step.times.most)
    return (
        *(step.kind, step.types, step.name, step.next, times),
        *(is_optional(step), step.greedy, step.inside, step.until is not None),
    )


def _keeps(pattern: Pattern, reads: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """Event type -> props to keep. An event is stored once, for all the steps that may take it."""
    keeps: dict[str, set[str]] = {}
    for step in pattern.steps:
        for event_type in step.types:
            props = keeps.setdefault(event_type, set(reads.get("", ())))
            props.update(reads.get(step.name, ()))
    return {event_type: props_to_keep(props) for event_type, props in keeps.items()}


def props_to_keep(reads: AbstractSet[str]) -> tuple[str, ...]:
    """What to keep of an event of which these props are read ("*": any)."""
    return ALL_PROPS if ALL_PROPS[0] in reads else tuple(sorted(reads))
