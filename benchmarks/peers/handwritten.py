"""The rules of benchmarks/engine.py written by hand, for libraries that have no rules: both peers run this.

`Rules` is as short as it can be: it trusts that events come in order and once. `SafeRules` trusts neither, as no live
job can: it drops repetitions and puts right what is up to 2 s late. Both notice a deadline at the user's next event.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from typing import Any, NamedTuple

Opened = dict[str, list[tuple[int, str]]]
"""Of one user: rule -> (time, event id) of first events that wait, oldest first."""
LATENESS = 2_000
REMEMBERED = 86_400_000
PRUNED = 3_600_000


class Rule(NamedTuple):
    """One of `first` with an amount of at least `least`, then, within ms, one of `second`; or that none of it comes."""

    name: str
    first: list[str]
    second: list[str]
    least: float
    within: int
    absent: bool


class Found(NamedTuple):
    rule: str
    at: int
    steps: list[str]


class Rules:
    """Indexed by the event's type, so that an event costs what the rules that it touches cost."""

    def __init__(self, rules: list[Rule]) -> None:
        self._by_name = {rule.name: rule for rule in rules}
        self._first: defaultdict[str, list[Rule]] = defaultdict(list)
        self._second: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            for kind in rule.first:
                self._first[kind].append(rule)
            for kind in rule.second:
                self._second[kind].append(rule)

    def on_event(self, opened: Opened, event: dict[str, Any]) -> list[Found]:
        """What the event, or the time that it shows, completes. `opened` is changed in place."""
        found: list[Found] = []
        now, kind = event["time"], event["type"]
        if opened:
            self.on_time(opened, now, found)
            for rule in self._second.get(kind, ()):
                waiting = opened.pop(rule.name, None)
                if waiting and not rule.absent:
                    found.append(Found(rule.name, now, [waiting[0][1], event["id"]]))
        amount = event["props"]["amount"]
        for rule in self._first.get(kind, ()):
            if amount >= rule.least and not any(match.rule == rule.name and match.at == now for match in found):
                opened.setdefault(rule.name, []).append((now, event["id"]))
        return found

    def on_time(self, opened: Opened, now: int, found: list[Found]) -> None:
        """Adds the absences that are due, and drops what is over."""
        for name, waiting in list(opened.items()):
            rule = self._by_name[name]
            while waiting and waiting[0][0] + rule.within <= now:
                began, first = waiting.pop(0)
                if rule.absent:
                    found.append(Found(name, began + rule.within, [first]))
            if not waiting:
                del opened[name]


class Safe:
    """Of one user, for `SafeRules`: events not yet applied, ids seen with their times, when to look for old ones."""

    __slots__ = ("opened", "prune_at", "seen", "tail")

    def __init__(self) -> None:
        self.opened: Opened = {}
        self.tail: list[tuple[int, str, str, dict[str, Any]]] = []
        self.seen: dict[str, int] = {}
        self.prune_at = 0


class SafeRules:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def on_event(self, user: Safe, event: dict[str, Any], watermark: int) -> list[Found]:
        time, source, name = event["time"], event["source"], event["id"]
        key = f"{source} {name}"
        if key not in user.seen:
            user.seen[key] = time
            insort(user.tail, (time, source, name, event))
        if not user.prune_at:
            user.prune_at = time + REMEMBERED
        elif user.prune_at <= watermark:
            user.seen = {key: at for key, at in user.seen.items() if at > watermark - REMEMBERED}
            user.prune_at = watermark + PRUNED
        return self.on_time(user, watermark)

    def on_time(self, user: Safe, watermark: int) -> list[Found]:
        found: list[Found] = []
        while user.tail and user.tail[0][0] <= watermark:
            found += self._rules.on_event(user.opened, user.tail.pop(0)[3])
        if user.opened:
            self._rules.on_time(user.opened, watermark, found)
        return found
