"""What cannot work in a pattern: what Flink CEP refuses (Pattern, Quantifier, NFACompiler), and what never ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kairos.engine.pattern.graph import is_optional
from kairos.engine.pattern.spec import Pattern, Step


@dataclass(frozen=True, slots=True)
class PatternProblem:
    """`step_index` None: of the pattern as a whole. `code` is stable; message and hint are for people."""

    step_index: int | None
    code: str
    message: str
    hint: str | None = None


def check_pattern(pattern: Pattern) -> list[PatternProblem]:
    """Every reason to refuse the pattern, in the order of its steps."""
    problems = [problem for check in _CHECKS for problem in check(pattern)]
    return sorted(problems, key=lambda problem: -1 if problem.step_index is None else problem.step_index)


def _is_not(step: Step) -> bool:
    return step.kind != "event"


def _is_open(step: Step) -> bool:
    return step.times is not None and step.times.most is None


def _begin(pattern: Pattern) -> Iterator[PatternProblem]:
    if not pattern.steps:
        yield PatternProblem(None, "no_steps", "the pattern has no steps", "add a step `event: ...`")
    elif _is_not(pattern.steps[0]):
        yield PatternProblem(
            0,
            "begins_with_not",
            f"a pattern cannot begin with `{pattern.steps[0].kind}`: there is no event yet for it to follow",
            "begin with the `event` after which nothing of the kind may come",
        )


def _names(pattern: Pattern) -> Iterator[PatternProblem]:
    seen = set()
    for index, step in enumerate(pattern.steps):
        if step.name in seen:
            yield PatternProblem(
                index, "duplicate_step", f"two steps are called '{step.name}'", "give one another name: `as: ...`"
            )
        seen.add(step.name)


def _times(pattern: Pattern) -> Iterator[PatternProblem]:
    for index, step in enumerate(pattern.steps):
        times = step.times
        if times is None:
            continue
        if times.least < 0 or (times.most is not None and (times.most < 1 or times.most < times.least)):
            yield PatternProblem(
                index, "bad_times", "`times` needs 0 <= min <= max and a max of at least 1", "e.g. {min: 2, max: 5}"
            )


def _quantified_not(pattern: Pattern) -> Iterator[PatternProblem]:
    for index, step in enumerate(pattern.steps):
        if not _is_not(step):
            continue
        given = {
            "optional": step.optional,
            "times": step.times is not None,
            "greedy": step.greedy,
            "until": step.until is not None,
            "inside": step.inside != "relaxed",
        }
        for key in (key for key, there in given.items() if there):
            yield PatternProblem(
                index, "not_with_quantifier", f"`{key}` does not go with `{step.kind}`", f"remove `{key}` here"
            )


def _needs_repetition(pattern: Pattern) -> Iterator[PatternProblem]:
    for index, step in enumerate(pattern.steps):
        if _is_not(step):
            continue
        if step.times is None:
            given = {"greedy": step.greedy, "inside": step.inside != "relaxed"}
            for key in (key for key, there in given.items() if there):
                yield PatternProblem(
                    index, f"{key}_without_repetition", f"`{key}` needs a repetition", "add `times`, or remove it"
                )
        elif step.greedy and step.inside == "any":
            yield PatternProblem(
                index, "greedy_with_any", "`greedy` does not go with `inside: any`", "use `inside: relaxed`"
            )
        if step.until is not None and not _is_open(step):
            yield PatternProblem(
                index,
                "until_without_repetition",
                "`until` needs an open repetition to stop",
                "write `times: {min: 1}` for one or more, or remove `until`",
            )


def _ends(pattern: Pattern) -> Iterator[PatternProblem]:
    if pattern.within is not None:
        return
    for index, step in enumerate(pattern.steps):
        if _is_open(step) and step.until is None and step.within is None:
            yield PatternProblem(
                index,
                "open_without_end",
                f"the repetition of '{step.name}' has no end, and its matches would be kept forever",
                "set `within` on the trigger, `until` on the step, or a `max`",
            )
    if pattern.steps and pattern.steps[-1].kind == "absent" and pattern.steps[-1].within is None:
        yield PatternProblem(
            len(pattern.steps) - 1,
            "absent_without_within",
            "an `absent` at the end is decided once `within` has passed, and there is no `within`",
            "set `within` on the trigger, or on this step: since the step before",
        )


def _own_within(pattern: Pattern) -> Iterator[PatternProblem]:
    if pattern.steps and pattern.steps[0].within is not None:
        yield PatternProblem(
            0,
            "within_of_the_first",
            "`within` of a step counts from the step before, and the first step has none before it",
            "on the trigger it bounds the whole match",
        )


def _neighbours(pattern: Pattern) -> Iterator[PatternProblem]:
    for index in range(1, len(pattern.steps)):
        before, step = pattern.steps[index - 1], pattern.steps[index]
        if not _is_not(before) and is_optional(before) and _is_not(step):
            yield PatternProblem(
                index - 1,
                "optional_before_not",
                f"an optional step right before `{step.kind}` is not supported",
                "write two activities, one with the step and one without it",
            )
        if before.greedy and not _is_not(step) and is_optional(step):
            yield PatternProblem(
                index,
                "optional_after_greedy",
                f"an optional step right after the greedy step '{before.name}' is not supported",
                "remove `greedy` there or `optional` here",
            )


def _lost_absence(pattern: Pattern) -> Iterator[PatternProblem]:
    """Flink accepts these and then never asks them, so that a rule would send where it must not."""
    for index, step in enumerate(pattern.steps[:-1]):
        if step.kind != "absent":
            continue
        ruler = next((other for other in pattern.steps[index + 1 :] if other.kind != "absent"), pattern.steps[-1])
        if _is_not(ruler):
            yield PatternProblem(
                index,
                "absent_without_effect",
                f"this `absent` would have no effect before the `{ruler.kind}` that follows it",
                "name all event types in one `absent: [...]`",
            )


def _skip_target(pattern: Pattern) -> Iterator[PatternProblem]:
    strategy = pattern.after_match
    if strategy.kind not in ("skip_to_first", "skip_to_last"):
        return
    names = [step.name for step in pattern.steps if not _is_not(step)]
    if strategy.step not in names:
        yield PatternProblem(
            None,
            "unknown_skip_target",
            f"`after_match` skips to '{strategy.step}', which is not an event step of this pattern",
            f"one of: {', '.join(names)}",
        )


_CHECKS: tuple[Callable[[Pattern], Iterator[PatternProblem]], ...] = (
    *(_begin, _names, _times, _quantified_not, _needs_repetition),
    *(_ends, _own_within, _neighbours, _lost_absence, _skip_target),
)
