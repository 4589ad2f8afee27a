"""A journey's file becomes a `Journey` and the activities that it is recorded as."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.policy.spec import Policy
from kairos.engine.rule.fields.journey import KINDS, WEEKDAYS
from kairos.engine.rule.fields.own_events import SHORT_FORMS
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.journey import (
    LEFT,
    Arm,
    Branch,
    Choose,
    Journey,
    JourneyStep,
    Leave,
    Message,
    Split,
    Wait,
    WaitFor,
)
from kairos.engine.rule.lower.activity import Draft, lower_activity, lower_worth
from kairos.engine.rule.lower.sends import lower_sends
from kairos.engine.rule.lower.trigger import kind_of, lower_step
from kairos.engine.rule.model import Activity, Audience
from kairos.engine.rule.text.report import Report

NOTHING = Pattern(())
"""What messages and the end of a journey wait for: they are decided where the journey comes to them."""


@dataclass(frozen=True)
class JourneyDraft:
    """A journey while it is checked. `entry`, `messages`: its activities; `places`: key of a step -> where it is."""

    journey: Journey
    entry: Draft
    messages: tuple[Draft, ...]
    places: dict[str, Value]

    @property
    def name(self) -> str:
        return self.journey.name

    @property
    def source(self) -> Value:
        return self.entry.source

    @property
    def report(self) -> Report:
        return self.entry.report

    def activities(self) -> dict[str, Activity]:
        """Its entry, its messages and its end, by name."""
        left = _part(self.entry.activity, LEFT, "left")
        parts = [self.entry.activity, *(message.activity for message in self.messages), left]
        return {part.name: part for part in parts}


def lower_journey(
    value: Value, theme: str, policy: Policy, live: Container[str], report: Report
) -> JourneyDraft | None:
    """None where name, trigger or steps could not be read; whatever else could not be read has its default.

    `live`: crowds that only the job can say who is in.
    """
    entry = lower_activity(value, theme, policy, live, {}, report)
    if entry is None or "steps" not in value:
        return None
    reenter = _reenter(value)
    once: Any = {"never": "ever", "each": "occurrence"}.get(str(reenter), reenter)
    limits = msgspec.structs.replace(entry.activity.limits, once=once)
    activity = msgspec.structs.replace(entry.activity, limits=limits, part="entry")
    _name_own(value, entry.name)
    steps = _Steps(activity, value.plain("on_suppress") == "leave", Draft(activity, entry.trigger, value, report))
    exits = [lower_event(source) for source in _each(value.find("exit")) if kind_of(source)]
    journey = Journey(
        name=entry.name,
        steps=steps.lower(value["steps"].each(), ""),
        exits=tuple(exits),
        reenter=reenter,
        per=activity.pattern.per,
    )
    return JourneyDraft(journey, steps.entry, tuple(steps.messages), steps.places)


def _reenter(value: Value) -> Any:
    """ "never", "each" or ms."""
    written = value.plain("reenter")
    return written if isinstance(written, str) else written["after"]


def written_steps(steps: Value) -> Iterator[Value]:
    """Every step as it is written, nested ones too."""
    for source in steps.each():
        yield source
        for key in ("choose", "split"):
            for way in source[key].each() if key in source else ():
                if inner := way.find("steps"):
                    yield from written_steps(inner)
        if inner := source.find("otherwise"):
            yield from written_steps(inner)


def _name_own(value: Value, journey: str) -> None:
    """`{clicked: hello}` means the journey's own message of that id, if there is one."""
    steps = list(written_steps(value["steps"]))
    own = {step["id"].data for step in steps if "id" in step and "send" in step}
    waits = [wait for step in steps if (wait := step.find("wait_for"))]
    for source in (*waits, *_each(value.find("exit"))):
        for form, (_, prop) in SHORT_FORMS.items():
            for name in _each(source.find(form)) if prop == "activity" else ():
                if name.data in own:
                    name.data = f"{journey}.{name.data}"


def lower_event(source: Value, name: str | None = None) -> Step:
    """One event as a step of a pattern, under this name or that of its type."""
    kind = kind_of(source)
    assert kind is not None
    step = lower_step(source, kind, name or "", False)
    return step if name else msgspec.structs.replace(step, name=step.types[0].replace(".", "_"))


def _each(value: Value | None) -> list[Value]:
    return value.each() if value is not None else []


def _part(entry: Activity, key: str, part: Any, **fields: Any) -> Activity:
    limits = msgspec.structs.replace(entry.limits, once="occurrence")
    nothing: dict[str, Any] = {"pattern": NOTHING, "audience": Audience(), "limits": limits, "goal": None, "data": {}}
    nothing |= {"schedule": None, "pace": None}
    return msgspec.structs.replace(entry, name=f"{entry.name}.{key}", part=part, **{**nothing, **fields})


@dataclass
class _Steps:
    """Lowers the steps of one journey, and notes where each stands."""

    activity: Activity
    leave: bool
    entry: Draft
    messages: list[Draft] = field(default_factory=list)
    places: dict[str, Value] = field(default_factory=dict)

    def lower(self, sources: list[Value], path: str) -> tuple[JourneyStep, ...]:
        """As many as can be read. A step without an id is known by its place behind the last one that has one."""
        steps, last, unnamed = [], path, 0
        for source in sources:
            kind = next((kind for kind in KINDS if kind in source), None)
            if kind is None:
                continue
            if "id" in source:
                key, last, unnamed = source.plain("id"), source.plain("id"), 0
            else:
                unnamed += 1
                key = f"{last}+{unnamed}"
            self.places.setdefault(key, source)
            if (step := self._step(source, kind, key)) is not None:
                steps.append(step)
        return tuple(steps)

    def _step(self, source: Value, kind: str, key: str) -> JourneyStep | None:
        common: dict[str, Any] = {"key": key, "when": source.plain("when")}
        value = source[kind]
        match kind:
            case "wait":
                return _wait(value, common)
            case "wait_for":
                return self._wait_for(source, value, common)
            case "send":
                self._message(source, key)
                return Message(leave=(source.plain("on_suppress") or self._default) == "leave", **common)
            case "choose":
                ways = [way for way in value.each() if "steps" in way]
                branches = (Branch(way.plain("when"), self._way(way, f"{key}/{n}")) for n, way in enumerate(ways))
                return Choose(branches=tuple(branches), **common)
            case "split":
                ways = [way for way in value.each() if {"name", "weight", "steps"} <= way.data.keys()]
                return Split(arms=tuple(self._arm(way, key) for way in ways), **common)
        return Leave(reason=source.plain("exit"), **common)

    @property
    def _default(self) -> str:
        return "leave" if self.leave else "go_on"

    def _way(self, source: Value, path: str) -> tuple[JourneyStep, ...]:
        return self.lower(source["steps"].each(), path)

    def _arm(self, source: Value, key: str) -> Arm:
        name = source.plain("name")
        return Arm(name, source.plain("weight"), self._way(source, f"{key}/{name}"))

    def _wait_for(self, source: Value, value: Value, common: dict[str, Any]) -> WaitFor | None:
        if kind_of(value) is None or "within" not in value:
            return None
        otherwise = self.lower(_each(source.find("otherwise")), f"{common['key']}/otherwise")
        return WaitFor(event=lower_event(value, source.plain("id")), within=value.plain("within"), otherwise=otherwise,
                       **common)  # fmt: skip

    def _message(self, source: Value, key: str) -> None:
        data = {**self.activity.data, **(source.plain("data") or {})}
        group = source.plain("matching") if "matching" in source else None
        activity = _part(
            self.activity, key, "message", data=data, send=lower_sends(source["send"]), matching=group,
            worth=lower_worth(source.find("worth")),
        )  # fmt: skip
        self.messages.append(Draft(activity, self.entry.trigger, source, self.entry.report))


def _wait(value: Value, common: dict[str, Any]) -> Wait:
    if isinstance(value.data, int):
        return Wait(span=value.data, **common)
    until, before = value.plain("until"), value.plain("before")
    return Wait(
        days=value.plain("days") or 0,
        at=value.plain("at"),
        on=tuple(sorted(WEEKDAYS.index(day) for day in value.plain("on") or ())),
        until=until.removeprefix("profile.") if until else None,
        shift=-before if before else value.plain("after") or 0,
        **common,
    )
