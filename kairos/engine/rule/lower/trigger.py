"""Every form of `trigger` becomes one pattern."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kairos.engine.pattern.spec import AfterMatch, Pattern, Step, Times
from kairos.engine.rule.fields.activity import STEP
from kairos.engine.rule.fields.value import Value


@dataclass(frozen=True)
class Trigger:
    """A pattern with the place of each of its steps. `complete` False: some step could not be read."""

    pattern: Pattern
    sources: tuple[Value, ...]
    complete: bool


def lower_trigger(value: Value) -> Trigger | None:
    """None where there is no readable step at all."""
    sources = value["pattern"].each() if "pattern" in value else [value]
    pairs = [(source, kind) for source in sources if (kind := kind_of(source)) is not None]
    if not pairs:
        return None
    names = _names(pairs)
    steps = tuple(_step(source, kind, name) for (source, kind), name in zip(pairs, names, strict=True))
    pattern = Pattern(
        steps,
        value.plain("within"),
        value.plain("within_kind"),
        _after_match(value),
        value.plain("per"),
    )
    return Trigger(pattern, tuple(source for source, _ in pairs), not value.broken and len(pairs) == len(sources))


def kind_of(source: Value) -> str | None:
    """`event`, `count`, `absent` or `not_next`: which of them this step has."""
    return next((kind for kind in ("event", "count", "absent", "not_next") if kind in source), None)


def _step(source: Value, kind: str, name: str) -> Step:
    times, optional = _times(source)
    return Step(
        kind="absent" if kind == "absent" else "not_next" if kind == "not_next" else "event",
        types=tuple(source.plain(kind)),
        name=name,
        where=source.plain("where"),
        next=_plain(source, "next"),
        times=times,
        optional=optional or _plain(source, "optional"),
        greedy=_plain(source, "greedy"),
        inside=_plain(source, "inside"),
        until=_plain(source, "until"),
    )


def _plain(source: Value, field: str) -> Any:
    """A step's field; a short form has only some of them, and the rest have the step's defaults."""
    declared = STEP.field(field)
    assert declared is not None
    return source[field].unwrap() if field in source else declared.default


def _names(pairs: list[tuple[Value, str]]) -> list[str]:
    """`as`, or the first event type. A step that takes no event is never referred to: its default gives way."""
    names = [str(source.plain("as") or source.plain(kind)[0]) for source, kind in pairs]
    taken = Counter(names)
    for index, (source, kind) in enumerate(pairs):
        if kind in ("absent", "not_next") and "as" not in source and taken[names[index]] > 1:
            taken[names[index]] -= 1
            names[index] = next(name for n in range(2, 10_000) if (name := f"{names[index]}_{n}") not in taken)
            taken[names[index]] += 1
    return names


def _times(source: Value) -> tuple[Times | None, bool]:
    """The quantifier, and whether it makes the step optional: `min: 0` is `optional` and at least once, as in Flink."""
    if "times" not in source:
        return None, False
    times = source["times"]
    if isinstance(times.data, int):
        return Times(times.data, times.data), False
    if "min" not in times:
        return None, False
    least = times.plain("min")
    return Times(max(least, 1), times.plain("max")), least == 0


def _after_match(value: Value) -> AfterMatch:
    plain = value.plain("after_match")
    if isinstance(plain, str):
        return AfterMatch(plain)  # type: ignore[arg-type]
    for kind, step in plain.items():
        return AfterMatch(kind, step)
    return AfterMatch()
