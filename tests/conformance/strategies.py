"""Hypothesis strategies: patterns that `check_pattern` accepts, and small streams for them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.pattern import AfterMatch, Pattern, Step, Times, check_pattern
from tests.conformance.harness import Case

TYPES = "abc"
FLINK_STRATEGIES = ("no_skip", "skip_past_last", "skip_to_next", "skip_to_first", "skip_to_last")


def conditions(steps: list[str]) -> st.SearchStrategy[str]:
    """A condition on the event, or on what one of `steps` has taken."""
    small = st.integers(0, 3)
    on_event = st.tuples(st.sampled_from(["ge", "eq"]), st.integers(0, 2))
    on_step = st.tuples(st.sampled_from(["count_lt", "sum_lt"]), st.sampled_from(steps), small)
    last = st.tuples(st.just("gt_last"), st.sampled_from(steps))
    return st.one_of(on_event, on_event, on_step, last).map(lambda parts: json.dumps(list(parts)))


@st.composite
def _times(draw: st.DrawFn) -> Times:
    least = draw(st.integers(0, 3))
    most = draw(st.none() | st.integers(max(1, least), least + 2))
    return Times(least, most)


@st.composite
def _event_steps(draw: st.DrawFn, name: str, earlier: list[str], quantified: bool) -> Step:
    settings: dict[str, Any] = {}
    if quantified and draw(st.booleans()):
        times = draw(_times())
        inside = draw(st.sampled_from(["relaxed", "consecutive", "any"]))
        settings = {"times": times, "inside": inside}
        settings["greedy"] = inside != "any" and draw(st.integers(0, 2)) == 0
        if times.most is None and draw(st.booleans()):
            settings["until"] = draw(conditions([*earlier, name]))
    times_from = settings["times"].least if "times" in settings else 1
    settings["optional"] = quantified and times_from > 0 and draw(st.integers(0, 3)) == 0
    return Step(
        kind="event",
        types=tuple(sorted(draw(st.sets(st.sampled_from(TYPES), min_size=1, max_size=2)))),
        name=name,
        where=draw(st.none() | conditions([*earlier, name])),
        next=draw(st.sampled_from(["strict", "relaxed", "any"])) if earlier else "relaxed",
        **settings,
    )


@st.composite
def patterns(
    draw: st.DrawFn,
    strategies: tuple[str, ...] = FLINK_STRATEGIES,
    within_kinds: tuple[str, ...] = ("first_last",),
    quantified: bool = True,
    nots: bool = True,
    own_within: bool = False,
) -> Pattern:
    """Up to four steps; only what `check_pattern` accepts. `own_within`: steps may have one, which is not Flink's."""
    steps: list[Step] = []
    names: list[str] = []
    for index in range(draw(st.integers(1, 4))):
        kinds = ["event", "event", "event", "absent", "not_next"] if nots and index else ["event"]
        kind = draw(st.sampled_from(kinds))
        name = f"s{index}"
        if kind == "event":
            steps.append(draw(_event_steps(name, list(names), quantified)))
            names.append(name)
        else:
            types = tuple(sorted(draw(st.sets(st.sampled_from(TYPES), min_size=1, max_size=2))))
            where = draw(st.none() | conditions(names))
            steps.append(Step("absent" if kind == "absent" else "not_next", types, name, where))
    if own_within:
        lengths = st.sampled_from([None, None, 1, 3, 6])
        steps = [msgspec.structs.replace(step, within=draw(lengths)) if n else step for n, step in enumerate(steps)]
    strategy: Any = draw(st.sampled_from(strategies))
    target = draw(st.sampled_from(names)) if strategy in ("skip_to_first", "skip_to_last") else None
    within_kind: Any = draw(st.sampled_from(within_kinds))
    within = draw(st.sampled_from([4, 8, 100] if within_kind == "previous_current" else [None, 4, 8, 100]))
    return repaired(Pattern(tuple(steps), within, within_kind, AfterMatch(strategy, target)))


def repaired(pattern: Pattern) -> Pattern:
    """The nearest pattern that is accepted: refusing would cost more than half of all examples."""
    for problem in check_pattern(pattern):
        steps = list(pattern.steps)
        place = problem.step_index or 0
        if problem.code in ("optional_before_not", "optional_after_greedy"):
            steps[place] = _required(steps[place])
        elif problem.code == "absent_without_effect":
            del steps[place]
        else:
            assert problem.code in ("open_without_end", "absent_without_within")
            pattern = msgspec.structs.replace(pattern, within=8)
        return repaired(msgspec.structs.replace(pattern, steps=tuple(steps)))
    return pattern


def _required(step: Step) -> Step:
    times = step.times if step.times is None or step.times.least else Times(1, step.times.most)
    return msgspec.structs.replace(step, optional=False, times=times)


@st.composite
def streams(draw: st.DrawFn, size: int = 8) -> tuple[Event, ...]:
    """Events in order, several of them at one time."""
    time = 0
    events = []
    for number in range(draw(st.integers(1, size))):
        time += draw(st.integers(0, 3))
        props = {"name": "", "x": draw(st.integers(0, 2))}
        events.append(Event(f"e{number}", draw(st.sampled_from(TYPES)), time, f"{number:03}", props))
    return tuple(events)


def cases(size: int = 8, **options: Any) -> st.SearchStrategy[Case]:
    return st.builds(Case, patterns(**options), streams(size))
