"""A journey as one funnel, counted from decisions alone: who came in, what they got, how they left."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import msgspec

from kairos.engine.decision import Record
from kairos.engine.rule.journey import LEFT, is_part


class Stage(msgspec.Struct, frozen=True):
    """One row: so many runs of the journey came so far. `share`: of those that came in. The goal of the control group,
    which does not come in, is in neither."""

    name: str
    runs: int
    share: float


@dataclass
class _Counted:
    entered: int = 0
    control: int = 0
    goals: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    waited: Counter[str] = field(default_factory=Counter)
    """Step -> ms from the entry to its message, summed."""
    left: Counter[str] = field(default_factory=Counter)


class Funnels:
    """Takes records, each once; of journeys it counts."""

    def __init__(self) -> None:
        self._counted: defaultdict[str, _Counted] = defaultdict(_Counted)
        self._entries: dict[str, int] = {}
        self._control: set[tuple[str, str]] = set()
        self._journeys: set[str] = set()
        self._sent: set[tuple[str, str]] = set()

    def take(self, record: Record) -> None:
        name, _, step = record.activity.partition(".")
        counted = self._counted[name]
        if is_part(record.activity):
            self._journeys.add(name)
            self._part(counted, step, record)
        elif record.outcome == "match":
            counted.entered += 1
            self._entries[record.occurrence] = record.at
        elif record.outcome == "control":
            counted.control += 1
            self._control.add((name, record.occurrence))
        elif record.outcome == "goal" and (name, record.occurrence) not in self._control:
            counted.goals += 1

    def _part(self, counted: _Counted, step: str, record: Record) -> None:
        if step == LEFT:
            counted.left[str(record.data.get("reason", ""))] += 1
        elif record.outcome == "send" and (record.activity, record.occurrence) not in self._sent:
            self._sent.add((record.activity, record.occurrence))
            counted.sent[step] += 1
            counted.waited[step] += record.at - self._entries.get(record.occurrence, record.at)

    def stages(self) -> dict[str, list[Stage]]:
        """By journey: the entry, each message in the order in which people come to it, the ends, the goal."""
        return {name: self._stages(self._counted[name]) for name in sorted(self._journeys)}

    def _stages(self, counted: _Counted) -> list[Stage]:
        steps = sorted(counted.sent, key=lambda step: (counted.waited[step] / counted.sent[step], step))
        rows = [("entered", counted.entered), *((f"{step} sent", counted.sent[step]) for step in steps)]
        rows += [(f"left: {reason}", number) for reason, number in counted.left.most_common()]
        inside = counted.entered - counted.left.total()
        rows += [("still inside", inside)] if inside > 0 else []
        rows += [("goal", counted.goals)] if counted.goals else []
        rows += [("control group", counted.control)] if counted.control else []
        return [Stage(name, number, number / counted.entered if counted.entered else 0.0) for name, number in rows]
