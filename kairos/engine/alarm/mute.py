"""When nothing is said of an activity: after its release, while it is paused, outside its dates, on holidays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.spec import Known

AFTER_RELEASE = 7_200_000
_REMEMBERED = 172_800_000
FOREVER = 1 << 62
Span = tuple[int, int]


class Mutes:
    """Spans are [from, to), epoch ms. Decisions themselves tell of releases and pauses: by a version that was not seen
    before, and by matches suppressed because of a pause. Whoever knows better says so."""

    def __init__(self, known: Known, holidays: Collection[date]) -> None:
        self._known, self._zone, self._holidays = known, ZoneInfo(known.zone), frozenset(holidays)
        self._versions: defaultdict[str, set[str]] = defaultdict(set)
        self._over: defaultdict[str, list[Span]] = defaultdict(list)
        self._paused: dict[str, int] = {}

    def know(self, known: Known, at: int) -> None:
        """Takes over changed rules. An activity that was paused and no longer is stays muted up to `at`."""
        for activity in self._known.paused - known.paused:
            self._add(activity, (0, at))
        self._known, self._zone = known, ZoneInfo(known.zone)

    def released(self, activities: Iterable[str], at: int) -> None:
        for activity in activities:
            self._add(activity, (at, at + AFTER_RELEASE))

    def hear(self, fact: Fact) -> None:
        """Notes what a decision tells of a release or a pause. The first version that is ever seen is no release."""
        seen = self._versions[fact.subject]
        if fact.version and fact.version not in seen:
            if seen:
                self.released([fact.subject], fact.at)
            seen.add(fact.version)
        if fact.what == "suppress.paused" and fact.subject not in self._paused:
            self._paused[fact.subject] = fact.at
        elif fact.what == "send" and fact.at > self._paused.get(fact.subject, FOREVER):
            self._add(fact.subject, (self._paused.pop(fact.subject), fact.at))

    def of(self, activities: Sequence[str], start: int, end: int) -> list[bool]:
        """Of each, whether anything of [start, end) is muted."""
        if self._is_holiday(start) or self._is_holiday(end - 1):
            return [True] * len(activities)
        muted = self._known.paused | self._muted(start, end)
        return [activity in muted for activity in activities]

    def _muted(self, start: int, end: int) -> set[str]:
        """By what decisions have told, by their dates, and by releases and pauses that are over."""
        found = {activity for activity, since in self._paused.items() if since < end}
        for activity, (begins, ends) in self._known.active.items():
            if (begins is not None and start < begins) or (ends is not None and end > ends):
                found.add(activity)
        for activity, spans in self._over.items():
            if any(first < end and start < last for first, last in spans):
                found.add(activity)
        return found

    def _is_holiday(self, at: int) -> bool:
        return bool(self._holidays) and _day(at // 60_000, self._zone) in self._holidays

    def _add(self, activity: str, span: Span) -> None:
        spans = self._over[activity]
        spans[:] = [old for old in spans if old[1] > span[0] - _REMEMBERED]
        spans.append(span)


@lru_cache(maxsize=64)
def _day(minute: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(minute * 60, UTC).astimezone(zone).date()
