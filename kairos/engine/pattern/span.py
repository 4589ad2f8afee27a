"""How long a match can take."""

from __future__ import annotations

from kairos.engine.pattern.spec import Pattern


def longest_match(pattern: Pattern) -> int | None:
    """From the first event to the decision, in ms; None: without end. Where no events begin it (a journey's message or
    end, a calendar), 0."""
    if not pattern.steps:
        return 0
    counts = [step.times.most if step.times else 1 for step in pattern.steps if step.kind == "event"]
    most = None if None in counts else sum(count or 0 for count in counts)
    waits = pattern.steps[-1].kind == "absent"
    if most == 1 and not waits:
        return 0
    bounds = [bound for bound in (_by_pattern(pattern, most, waits), _by_steps(pattern)) if bound is not None]
    return min(bounds, default=None)


def _by_pattern(pattern: Pattern, most: int | None, waits: bool) -> int | None:
    if pattern.within is None or pattern.within_kind == "first_last":
        return pattern.within
    return None if most is None else pattern.within * (most - 1 + waits)


def _by_steps(pattern: Pattern) -> int | None:
    """Each step that takes time has its own `within`."""
    first, *later = pattern.steps
    if first.times is not None and first.times.most != 1:
        return None
    final_absence = later[-1:] if later and later[-1].kind == "absent" else []
    timed = [step.within for step in [*(step for step in later if step.kind == "event"), *final_absence]]
    return None if None in timed else sum(within or 0 for within in timed)
