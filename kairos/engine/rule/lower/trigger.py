"""Every form of `trigger` becomes one pattern."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from kairos.engine.expression import Condition, Script
from kairos.engine.pattern.spec import AfterMatch, Pattern, Step, Times
from kairos.engine.rule.fields.own_events import SHORT_FORMS
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.fields.trigger import STEP
from kairos.engine.rule.lower.schedule import lower_schedule, slot_pattern
from kairos.engine.rule.model import Schedule

_NOT = ("absent", "not_next")


@dataclass(frozen=True)
class Trigger:
    """A pattern with the place of each of its steps. `complete` False: some step could not be read.

    `schedule`: what the calendar says, where it begins the activity.
    """

    pattern: Pattern
    sources: tuple[Value, ...]
    complete: bool
    schedule: Schedule | None = None


def lower_trigger(value: Value, owner: str, live: Container[str]) -> Trigger | None:
    """None where there is no readable step at all. `owner`: the activity that it begins; `live`: crowds that only the
    job can say who is in."""
    if "schedule" in value.keys:
        schedule = lower_schedule(value)
        return Trigger(slot_pattern(owner, schedule, live), (value,), schedule is not None, schedule)
    sources = value["pattern"].each() if "pattern" in value else [value]
    pairs = [(source, kind) for source in sources if (kind := kind_of(source)) is not None]
    if not pairs:
        return None
    names = _names(pairs)
    long = "pattern" in value  # in a short form `within` is of the whole
    steps = tuple(lower_step(source, kind, name, long) for (source, kind), name in zip(pairs, names, strict=True))
    pattern = Pattern(
        steps,
        value.plain("within"),
        value.plain("within_kind"),
        _after_match(value),
        value.plain("per"),
    )
    return Trigger(pattern, tuple(source for source, _ in pairs), not value.broken and len(pairs) == len(sources))


def kind_of(source: Value) -> str | None:
    """`event`, `count`, `absent`, `not_next` or a short form of what Kairos did: which of them this step has."""
    return next((kind for kind in ("event", "count", *_NOT, *SHORT_FORMS) if kind in source), None)


def lower_step(source: Value, kind: str, name: str, own_time: bool) -> Step:
    times, optional = _times(source)
    own = own_event(source, kind)
    return Step(
        kind="absent" if kind == "absent" else "not_next" if kind == "not_next" else "event",
        types=_types(source, kind),
        name=name,
        where=source.plain("where") if own is None else own.narrowed(source.plain("where")),
        next=_plain(source, "next"),
        times=times,
        optional=optional or _plain(source, "optional"),
        greedy=_plain(source, "greedy"),
        inside=_plain(source, "inside"),
        until=_plain(source, "until"),
        within=_plain(source, "within") if own_time else None,
    )


@dataclass(frozen=True)
class OwnEvent:
    """A short form: the event type that it means, the `prop` that says of whom, and their names as they are written."""

    type: str
    prop: str
    names: Value

    def narrowed(self, where: Condition | None) -> Condition:
        """`where`, and that it is of these: `activity == "cart_left"`."""
        names = [f'"{name}"' for name in self.names.unwrap()]
        if isinstance(where, Script):
            return Script(f"[{', '.join(names)}].includes(event.props.{self.prop}) && ({where.js}\n)")
        asked = f"{self.prop} == {names[0]}" if len(names) == 1 else f"{self.prop} in [{', '.join(names)}]"
        return asked if where is None else f"{asked} and ({where})"


def own_event(source: Value, kind: str) -> OwnEvent | None:
    """What a step of this kind says of Kairos itself; None: it is about events of the sources."""
    inner = source.find(kind) if kind in _NOT and isinstance(source[kind].data, dict) else source
    form = next((form for form in SHORT_FORMS if inner is not None and form in inner), None)
    return OwnEvent(*SHORT_FORMS[form], inner[form]) if inner is not None and form is not None else None


def _types(source: Value, kind: str) -> tuple[str, ...]:
    own = own_event(source, kind)
    return tuple(source.plain(kind)) if own is None else (own.type,)


def _plain(source: Value, field: str) -> Any:
    """A step's field; a short form has only some of them, and the rest have the step's defaults."""
    declared = STEP.field(field)
    assert declared is not None
    return source[field].unwrap() if field in source else declared.default


def _names(pairs: list[tuple[Value, str]]) -> list[str]:
    """`as`, or the first event type, its dots as underscores. A step that takes no event is never referred to: its
    default gives way."""
    names = [str(source.plain("as") or _types(source, kind)[0].replace(".", "_")) for source, kind in pairs]
    taken = Counter(names)
    for index, (source, kind) in enumerate(pairs):
        if kind in _NOT and "as" not in source and taken[names[index]] > 1:
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
