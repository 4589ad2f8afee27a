"""What a partial match says about itself: which steps it is at, what it needs, and which ones are worth a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kairos.engine.pattern import Pattern, Progress, Step


def taken_events(progress: Progress) -> frozenset[str]:
    """The ids of everything that it has taken."""
    return frozenset(event_id for ids in progress.steps.values() for event_id in ids)


def identity(progress: Progress) -> tuple[object, ...]:
    return (progress.waits_for, *progress.steps.items())


def lost(was: Sequence[Progress], now: Sequence[Progress], event_id: str) -> Iterator[Progress]:
    """What an event has ended: nothing is left that has taken the same and, perhaps, the event and more."""
    alive = {taken_events(progress) for progress in now}
    for progress in was:
        events = taken_events(progress)
        if events not in alive and events | {event_id} not in alive and not any(events <= other for other in alive):
            yield progress


def most_advanced(found: Sequence[Progress]) -> Iterator[Progress]:
    """Without those whose events are all part of another one: they tell nothing that it does not."""
    kept: list[frozenset[str]] = []
    for progress in sorted(found, key=lambda p: len(taken_events(p)), reverse=True):
        events = taken_events(progress)
        if not any(events <= other for other in kept):
            kept.append(events)
            yield progress


def steps_at(pattern: Pattern, progress: Progress | None) -> list[Step]:
    """The steps that may have a say about the next event; None: nothing has begun."""
    steps = pattern.steps
    place = 0 if progress is None else next(i for i, s in enumerate(steps) if s.name == progress.waits_for)
    found = []
    for step in steps[place:]:
        found.append(step)
        if step.kind == "event" and _missing(step, progress) > 0:
            break
    return found


def needs(pattern: Pattern, progress: Progress) -> str:
    """`2 more purchase events`; `pay, and no view before`; `that no order_paid comes`."""
    nots: list[str] = []
    for step in steps_at(pattern, progress):
        types = " or ".join(step.types)
        if step.kind != "event":
            nots.append(types)
            continue
        missing = _missing(step, progress)
        if missing <= 0:
            continue
        what = (
            f"{missing} more {types} events" if missing > 1 else f"another {types}" if _taken(step, progress) else types
        )
        return f"{what}, and no {' or '.join(nots)} before" if nots else what
    if nots:
        return f"that no {' or '.join(nots)} comes"
    return "an end of the repetition"


def _taken(step: Step, progress: Progress | None) -> int:
    return len(progress.steps.get(step.name, ())) if progress is not None else 0


def _missing(step: Step, progress: Progress | None) -> int:
    """How many events the step still needs."""
    if step.optional:
        return 0
    return (step.times.least if step.times else 1) - _taken(step, progress)
