"""The events that the watermark has not passed yet: the nearest in order, the others packed until it is their turn.

A user of whom hundreds wait, because a partition stalls or much lateness is allowed, pays as much for the next as for
the first.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from operator import attrgetter

import msgspec

from kairos.engine.event import Event
from kairos.engine.user.state import Later, UserState

MOST = 32
"""Of the tail as it is; what is more is packed, but for the earlier half."""
EACH = 32
"""Events that are packed together, where their times allow."""

_ORDER = attrgetter("order")
_TIME = attrgetter("time")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Event]).decode
_ARRAY = b"\xdd"  # msgpack: an array with its length in four bytes


def insert(state: UserState, event: Event) -> None:
    later, tail = state.later, state.tail
    if later and event.time >= later[0].first:
        _put_off(later, event)
    elif not tail or tail[-1].time < event.time:
        tail.append(event)
    else:
        insort(tail, event, key=_ORDER)
    if len(tail) > MOST:
        _put_away(state)


def take(state: UserState, instant: int) -> list[Event]:
    """The events up to this instant; they are no longer in the tail."""
    tail = state.tail
    if not tail or tail[0].time > instant:
        return []
    if len(tail) == 1:
        state.tail = []
        return tail
    end = bisect_right(tail, instant, key=_TIME)
    taken, state.tail = tail[:end], tail[end:]
    return taken


def unpack_next(state: UserState, until: int) -> None:
    """To be called where the tail is empty: what is packed and begins up to this time (ms) is in it from here on."""
    if state.later[0].first <= until:
        state.tail = _opened(state.later.pop(0))
        if len(state.tail) > MOST:
            _put_away(state)


def remove(state: UserState, repeated: Event) -> None:
    """All that are this event, whatever their time."""
    every = [*state.tail, *(event for later in state.later for event in _opened(later))]
    same = (repeated.source, repeated.type, repeated.id)
    state.tail = [event for event in every if (event.source, event.type, event.id) != same]
    state.later = []
    _put_away(state)


def _put_off(later: list[Later], event: Event) -> None:
    place = len(later) - 1
    while later[place].first > event.time:
        place -= 1
    last = later[place]
    if place == len(later) - 1 and last.count >= EACH and event.time > last.last:
        later.append(Later(event.time, event.time, 1, _encode(event)))
        return
    last.last = max(last.last, event.time)
    last.count += 1
    last.events += _encode(event)


def _put_away(state: UserState) -> None:
    """Pack all but the first half of `MOST`. Events of one time stay together."""
    tail, end = state.tail, len(state.tail)
    packed: list[Later] = []
    while end > MOST:
        start = _first_of_its_time(tail, max(end - EACH, MOST // 2))
        if not start:
            break
        packed.append(_packed(tail[start:end]))
        end = start
    state.tail, state.later = tail[:end], [*reversed(packed), *state.later]


def _first_of_its_time(tail: list[Event], place: int) -> int:
    while place and tail[place - 1].time == tail[place].time:
        place -= 1
    return place


def _packed(events: list[Event]) -> Later:
    return Later(events[0].time, events[-1].time, len(events), b"".join(map(_encode, events)))


def _opened(later: Later) -> list[Event]:
    events = _decode(_ARRAY + later.count.to_bytes(4) + later.events)
    return sorted(events, key=_ORDER)
