"""Who enters or leaves a live crowd: an event of its user, where some rule waits for it.

Of each such crowd the state remembers whether the user is in it. It is asked again at every instant of the user, and at
the first moment at which time alone will have changed the answer: a score that has decayed, a count that slid out of
its window. That moment is known beforehand, as long as nothing else happens, so there is a timer for it. Where time
changes the answer and changes it back, only the state after all of it is seen.
"""

from __future__ import annotations

from kairos.engine.event import CROWD_ENTERED, CROWD_LEFT, KAIROS, Event
from kairos.engine.user.moment import Instant, Moment


def look_before(instant: Instant) -> None:
    """Notes who is in a crowd before the events of this instant, where that was not known: a new rule makes nobody
    enter."""
    known = instant.state.crowds
    for name in instant.program.heard_crowds:
        if name not in known:
            known[name] = _is_member(instant, name, instant.now)


def changes(instant: Instant) -> list[Event]:
    """What has changed since it was asked last; and when it is to be asked next."""
    known = instant.state.crowds
    found: list[Event] = []
    for name in instant.program.heard_crowds:
        inside = _is_member(instant, name, instant.now)
        if inside is not known.get(name, inside):
            type_ = CROWD_ENTERED if inside else CROWD_LEFT
            event_id = f"crowd/{name}/{instant.now}/{instant.user_id}"
            found.append(Event(event_id, type_, instant.now, KAIROS, {"crowd": name}, instant.user_id))
        known[name] = inside
    ahead = [at for name in instant.program.heard_crowds if (at := _changes_at(instant, name)) is not None]
    instant.state.crowds_until = min(ahead, default=0)
    return found


def _changes_at(instant: Instant, name: str) -> int | None:
    """The first ms at which time alone will have changed the answer; None: it never will."""
    inside, last = instant.state.crowds[name], _end_of_change(instant, name)
    if last is None or _is_member(instant, name, last) is inside:
        return None
    before, after = instant.now, last
    while after - before > 1:
        middle = (before + after) // 2
        if _is_member(instant, name, middle) is inside:
            before = middle
        else:
            after = middle
    return after


def _end_of_change(instant: Instant, name: str) -> int | None:
    """When the last of its metrics is as good as none."""
    ends = []
    for metric in instant.program.heard_crowds[name]:
        stored = instant.facts.metrics.get(metric.key)
        end = metric.lapses_at(stored) if stored else None
        if end is not None and end > instant.now:
            ends.append(end)
    return max(ends, default=None)


def _is_member(instant: Instant, name: str, at: int) -> bool:
    return Moment(instant, at, instant.program.zone).in_crowd(name)
