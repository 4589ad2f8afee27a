"""Alarms of counts and shares: each series is held against its own past, two hours running, and some by the minute."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
from scipy.special import expit

from kairos.engine.alarm.baseline import (
    Array,
    Baseline,
    Variation,
    expected,
    least_expected,
    most_usual,
    of_counts,
    of_shares,
    same_hours,
    z_of_counts,
    z_of_shares,
)
from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.fast import Burst, Mask, Silence, fitted
from kairos.engine.alarm.kinds import KINDS
from kairos.engine.alarm.mute import Mutes
from kairos.engine.alarm.panel import Panel, Place
from kairos.engine.alarm.spec import Alarm

MINUTE, HOUR = 60_000, 3_600_000
BLOCK = 10
"""Minutes that are looked at together at most; none of them crosses an hour."""

Causes = dict[Place, dict[str, str]]
"""Who is off, and by what: "hours" or "minutes" -> the words for it."""


class SeriesRule:
    """`causes`: who is off now."""

    def __init__(self, alarm: Alarm, mutes: Mutes, zone: ZoneInfo) -> None:
        self._alarm, self.kind = alarm, KINDS[alarm.kind]
        self._mutes, self._zone = mutes, zone
        self.causes: Causes = {}
        self._panel = Panel(self.kind.rare)
        self._coming: dict[int, dict[Place, list[int]]] = {}
        """Minute -> hits and trials of each series; of minutes that are not over."""
        self._next = 0
        self._off_before: Mask = np.zeros(0, dtype=bool)
        self._base = Baseline(*np.zeros((3, 0)))
        self._variation = Variation()
        self._usual: Array = np.zeros(0)
        """Of the hour: messages that are expected of a minute, or the share of failures."""
        self._share = self.kind.rule == "share"
        self._silence = Silence() if self.kind.fast and not self._share else None
        self._burst = Burst() if self.kind.fast and self._share else None

    def know_since(self, at: int) -> None:
        """Of what comes rarely all is known since `at` (epoch ms)."""
        self._panel.known_since = -(-at // HOUR)

    def hear(self, fact: Fact) -> None:
        kind, alarm = self.kind, self._alarm
        if alarm.subjects and fact.subject not in alarm.subjects:
            return
        if alarm.channels and fact.channel not in alarm.channels:
            return
        hits = fact.n if fact.what in kind.counted else 0
        trials = fact.n if fact.what in kind.of else 0
        place = (fact.subject if "activity" in kind.by else "", fact.channel if "channel" in kind.by else "")
        minute = fact.at // MINUTE
        if minute >= self._next:
            counts = self._coming.setdefault(minute, {}).setdefault(place, [0, 0])
            counts[0] += hits
            counts[1] += trials
        else:
            self._panel.add(place, fact.at // HOUR, hits, trials)
            if self._silence is not None and place in self._panel.rows:
                self._silence.came_late(self._panel.rows[place])

    def steps(self, first: int, end: int) -> Iterator[int]:
        """The minutes [first, end) of a block are over. Stops after each with which `causes` may have changed."""
        hour = first // 60
        if hour > self._panel.hour:
            self._begin(hour)
        self._next = end
        came = [self._coming.pop(minute, {}) for minute in range(first, end)]
        for counts in came:
            for place, (hits, trials) in counts.items():
                self._panel.add(place, hour, hits, trials)
        if not len(self._panel):
            return
        if self.kind.fast:
            yield from self._by_the_minute(first, came)
        if end % 60 == 0:
            self._judge(hour)
            yield end - 1

    def _begin(self, hour: int) -> None:
        self._panel.begin(hour)
        if len(self._panel):
            self._learn(hour)

    def _learn(self, hour: int) -> None:
        hits, trials = self._panel.of(same_hours(hour, self._zone))
        if self._share:
            self._base = of_shares(hits, trials, hour, self._variation)
            self._usual = most_usual(self._base)
        else:
            self._base = of_counts(hits, hour, self._variation)
            self._usual = least_expected(self._base) / 60

    def _muted(self, first: int, end: int) -> Mask:
        subjects = [subject for subject, _ in self._panel.places]
        return np.array(self._mutes.of(subjects, first * MINUTE, end * MINUTE), dtype=bool)

    # ----------------------------------------------------------------------------------------------- two hours running
    def _judge(self, hour: int) -> None:
        many, muted = len(self._panel), self._muted(hour * 60, hour * 60 + 60)
        if self.kind.rare and many > len(self._base.median):
            self._learn(hour)  # the first of a series is no beginning: all that was before it is known
        hits, trials = self._panel.at(hour)
        base = Baseline(*(fitted(values, many, np.nan) for values in self._base))
        z = z_of_shares(hits, trials, base) if self._share else z_of_counts(hits, base)
        z = {"low": -z, "high": z, "both": np.abs(z)}[self.kind.side]
        off = (z > self._alarm.z) & ~muted  # NaN is not
        before = np.concatenate([self._off_before, np.zeros(many - len(self._off_before), dtype=bool)])
        for row in np.flatnonzero(off & before):
            self._begin_cause(row, "hours", self._words(row, hits, trials, base))
        for place in [place for place in self.causes if not off[self._panel.rows[place]]]:
            self._end_cause(place, "hours")
        self._off_before = off
        self._panel.leave_out(hour, muted)

    def _words(self, row: int, hits: Array, trials: Array, base: Baseline) -> str:
        about = self.kind.about
        if self._share:
            usual = float(expit(base.median[row]))
            return f"{about}: {hits[row] / trials[row]:.1%} of {int(trials[row]):,} in an hour; usual {usual:.1%}"
        usual = float(expected(base.median)[row])
        return f"{about}: {int(hits[row]):,} in an hour; usual {usual:,.0f}"

    def _begin_cause(self, row: int, cause: str, words: str) -> None:
        self.causes.setdefault(self._panel.places[row], {}).setdefault(cause, words)

    def _end_cause(self, place: Place, cause: str) -> None:
        causes = self.causes[place]
        causes.pop(cause, None)
        if not causes:
            del self.causes[place]

    # --------------------------------------------------------------------------------------------------- by the minute
    def _by_the_minute(self, first: int, came: list[dict[Place, list[int]]]) -> Iterator[int]:
        many = len(self._panel)
        muted = self._muted(first, first + len(came))
        hits, trials = np.zeros((2, many, len(came)))
        for minute, counts in enumerate(came):
            for place, (hit, trial) in counts.items():
                row = self._panel.rows[place]
                hits[row, minute], trials[row, minute] = hit, trial
        usual = fitted(self._usual, many, np.nan)
        if self._silence is not None:
            off = self._silence.block(hits, usual, muted)
        else:
            assert self._burst is not None
            off = self._burst.block(hits, trials, usual, muted)
        if not (off.any() or self.causes):
            return
        for minute in range(len(came)):
            for row in np.flatnonzero(off[:, minute]):
                self._begin_cause(row, "minutes", self._words_now(row, minute))
            for place in [place for place in self.causes if not off[self._panel.rows[place], minute]]:
                self._end_cause(place, "minutes")
            yield first + minute

    def _words_now(self, row: int, minute: int) -> str:
        about = self.kind.about
        if self._silence is not None:
            missing, quiet = self._silence.missing[row, minute], int(self._silence.quiet[row, minute])
            return f"{about}: none for {quiet} min, where {missing:.0f} are expected"
        assert self._burst is not None
        window, hits, trials = self._burst.of(row, minute)
        return f"{about}: {hits / max(1, trials):.1%} of {trials:,} in {window} min"
