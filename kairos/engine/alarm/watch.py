"""All alarms over one stream of facts: hears facts, is told the time, says what begins and what is over.

Decisions belong to event time: an hour of theirs is over when the watermark has passed it. So a stalled watermark mutes
what hangs on it by itself, and only WatermarkAge speaks. Receipts and dead letters belong to the clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from kairos.engine.alarm.fact import Fact, What
from kairos.engine.alarm.kinds import KINDS, runbook
from kairos.engine.alarm.levels import AgeRule, StockRule
from kairos.engine.alarm.mute import Mutes
from kairos.engine.alarm.series import BLOCK, HOUR, MINUTE, SeriesRule
from kairos.engine.alarm.spec import Alarm, Alarms, Change, Key, Known

Rule = SeriesRule | StockRule | AgeRule
_DECIDED = frozenset({"send", "again", "suppress", "suppress.cap", "suppress.paused", "hold", "hold.cap", "control"})


class Watch:
    """`firing`: what is off now, and since when it was said. `played`: time of the newest fact of a past, epoch ms."""

    def __init__(self, alarms: Alarms, known: Known) -> None:
        self._mutes = Mutes(known, alarms.holidays)
        self._alarms = alarms
        zone = ZoneInfo(known.zone)
        self._rules = {name: _rule(alarm, known, self._mutes, zone) for name, alarm in alarms.alarms.items()}
        self._hearing: defaultdict[What, list[Rule]] = defaultdict(list)
        for rule in self._rules.values():
            for what in rule.kind.counted | rule.kind.of:
                self._hearing[what].append(rule)
        self.firing: dict[Key, Change] = {}
        self.played = 0
        self._clock: dict[str, int | None] = {"decisions": None, "receipts": None}
        """The minute that comes next, of each clock; None: nothing has been heard yet."""

    def know(self, known: Known, at: int) -> None:
        """Takes over changed rules, from now on."""
        self._mutes.know(known, at)
        for rule in self._rules.values():
            if not isinstance(rule, SeriesRule):
                rule.know(known)

    def expect(self, crowds: Iterable[str], at: int) -> None:
        """These are to be built: whichever never was is as old as what names it, which holds since `at` (epoch ms)."""
        for rule in self._rules.values():
            if isinstance(rule, AgeRule) and not rule.of_time:
                for crowd in crowds:
                    rule.expect(crowd, at)

    def know_since(self, what: What, at: int) -> None:
        """All facts of this kind are known since `at` (epoch ms), and not sooner."""
        for rule in self._hearing[what]:
            if isinstance(rule, SeriesRule):
                rule.know_since(at)

    def released(self, activities: Iterable[str], at: int) -> None:
        self._mutes.released(activities, at)

    def hear(self, fact: Fact) -> None:
        self._start(fact.at)
        if fact.what in _DECIDED:
            self._mutes.hear(fact)
        for rule in self._hearing.get(fact.what, ()):
            rule.hear(fact)

    def play(self, past: Iterable[Fact]) -> Iterator[Change]:
        """What it says of facts that have happened, by time, but for the hour of the last of them."""
        for fact in past:
            if fact.at // HOUR > self.played // HOUR:
                yield from self.advance(fact.at - fact.at % HOUR)
            self.hear(fact)
            self.played = fact.at

    def advance(self, now: int, watermark: int | None = None) -> Iterator[Change]:
        """It is `now` (epoch ms), and every decision of up to `watermark` has been heard; None: nobody knows of a
        watermark, so it is taken to be `now`. Time only goes forward."""
        self._start(now)
        for rule in self._rules.values():
            if watermark is not None and isinstance(rule, AgeRule) and rule.of_time:
                rule.sign("", watermark)
        decided = now if watermark is None else min(now, watermark)
        first = min(minute for minute in self._clock.values() if minute is not None)
        for block in range(first // BLOCK, now // MINUTE // BLOCK + 1):
            changes: list[Change] = []
            for clock, until in (("decisions", decided), ("receipts", now)):
                begin = self._clock[clock]
                end = min(until // MINUTE, (block + 1) * BLOCK)
                if begin is not None and begin < end:
                    self._clock[clock] = end
                    changes += self._step(clock, begin, end)
            yield from sorted(changes, key=lambda change: change.at)

    def _step(self, clock: str, first: int, end: int) -> Iterator[Change]:
        for name, rule in self._rules.items():
            if rule.kind.clock == clock:
                for minute in rule.steps(first, end):
                    yield from self._changes(name, rule, (minute + 1) * MINUTE)

    def _changes(self, name: str, rule: Rule, at: int) -> Iterator[Change]:
        """Said once: an alarm for which there is one more cause is the same alarm."""
        off = {Key(name, *place): next(iter(causes.values())) for place, causes in rule.causes.items()}
        for key in [key for key in self.firing if key.alarm == name and key not in off]:
            yield self._change(self.firing.pop(key).key, False, at, self._alarms.alarms[name], "over")
        for key, words in off.items():
            if key not in self.firing:
                self.firing[key] = change = self._change(key, True, at, self._alarms.alarms[name], words)
                yield change

    def _change(self, key: Key, firing: bool, at: int, alarm: Alarm, words: str) -> Change:
        label = KINDS[alarm.kind].label
        return Change(
            key.alarm, alarm.kind, label, key.subject, key.channel, firing, at, words, runbook(alarm.kind),
            alarm.severity,
        )  # fmt: skip

    def _start(self, at: int) -> None:
        for clock, minute in self._clock.items():
            if minute is None:
                self._clock[clock] = at // MINUTE


def _rule(alarm: Alarm, known: Known, mutes: Mutes, zone: ZoneInfo) -> Rule:
    match KINDS[alarm.kind].rule:
        case "stock":
            return StockRule(alarm, known)
        case "age":
            return AgeRule(alarm, known)
        case _:
            return SeriesRule(alarm, mutes, zone)
