"""The cases of a user, in the order in which they came: of many, those that nothing concerns now stay packed.

The newest lie as they are, the others in batches, each with a summary: what is to be asked of all of them is asked of
the summaries, and only the batches that it concerns are unpacked. A text (an activity, an occurrence, a value of `per`)
is looked for in the packed bytes, as it is packed: a batch in which it does not stand has no such case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import chain
from operator import or_
from zlib import crc32

import msgspec

from kairos.engine.size import size_of
from kairos.engine.user.case import Case
from kairos.engine.user.state import CaseBatch, UserState

EACH = 64
"""Cases that are packed together."""
MANY = 64
"""Cases that may lie unpacked from one instant to the next, where one call brings many: so each of thousands costs what
the first did."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Case]).decode
_ARRAY = b"\xdd"  # msgpack: an array with its length in four bytes


# ------------------------------------------------------------------------------------------------------ one of them
def add(state: UserState, case: Case) -> None:
    """A case that is kept already stays where it is."""
    if not is_kept(state, case):
        state.cases.append(case)


def is_kept(state: UserState, case: Case) -> bool:
    return any(kept is case for kept in unpacked(state))


def remove(state: UserState, case: Case) -> None:
    for batch in state.packed_cases:
        if batch.opened is not None:
            batch.opened = [other for other in batch.opened if other is not case]
    state.cases = [other for other in state.cases if other is not case]


# ------------------------------------------------------------------------------------------------------ all of them
def every(state: UserState) -> list[Case]:
    return _of(state, state.packed_cases)


def unpacked(state: UserState) -> Iterator[Case]:
    """Whatever may have changed since the state was read."""
    if not state.packed_cases:
        return iter(state.cases)
    opened = (batch.opened for batch in state.packed_cases if batch.opened is not None)
    return chain(*opened, state.cases)


def due_by(state: UserState, instant: int) -> list[Case]:
    if not state.packed_cases:
        return [case for case in state.cases if case.due_by(instant)]
    concerned = [batch for batch in state.packed_cases if 0 < batch.due <= instant]
    return [case for case in _of(state, concerned) if case.due_by(instant)]


def first_due(state: UserState) -> int:
    """The earliest time (ms) at which the gates are asked again; 0: no case waits for them."""
    times = [batch.due for batch in state.packed_cases if batch.due and batch.opened is None]
    for case in unpacked(state):
        if case.held_until:
            times.append(case.held_until)
        if case.fallback_at:
            times.append(case.fallback_at)
    return min(times, default=0)


def waiting(state: UserState) -> list[Case]:
    """At least the cases that are held, or of which another entry will stand in."""
    return _of(state, [batch for batch in state.packed_cases if batch.due])


def naming(state: UserState, activities: Iterable[str] | None, *texts: str) -> list[Case]:
    """At least the cases of these activities (None: of any) in which one of these texts stands, if there are texts."""
    concerned = state.packed_cases if activities is None else _named(state.packed_cases, activities)
    if texts:
        packed = [_encode(text) for text in texts]
        concerned = [batch for batch in concerned if any(text in batch.cases for text in packed)]
    return _of(state, concerned)


def going(state: UserState, activities: Iterable[str]) -> list[Case]:
    """At least the cases of these activities that may still go."""
    return _of(state, _named([batch for batch in state.packed_cases if batch.going], activities))


def going_or_last(state: UserState, activity: str, counts: Callable[[Case], bool], since: int) -> list[Case]:
    """At least those of the activity that may still go and, of those that count, the one that was sent last.

    `counts`: of none that was sent before `since` (ms).
    """
    named = _named(state.packed_cases, (activity,))
    last = max((case.sent_at for case in state.cases if counts(case)), default=since)
    concerned = [batch for batch in named if batch.going]
    for batch in sorted(named, key=lambda batch: -batch.sent):
        if batch.sent < last:
            break
        concerned.append(batch)
        last = max([last, *(case.sent_at for case in _open(batch) if counts(case))])
    return _of(state, concerned)


def bytes_of(state: UserState) -> int:
    """In msgpack, however many of them are packed."""
    packed = sum(len(batch.cases) for batch in state.packed_cases if batch.opened is None)
    return packed + sum(map(size_of, unpacked(state)))


# ---------------------------------------------------------------------------------------------- packed and unpacked
def drop_lapsed(state: UserState, now: int) -> None:
    """What waits stays, and what something may still concern."""
    for batch in state.packed_cases:
        if batch.opened is not None or batch.lapses <= now:
            batch.opened = [case for case in _open(batch) if case.is_waiting or case.keep_until > now]
    state.cases = [case for case in state.cases if case.is_waiting or case.keep_until > now]


def lapses(state: UserState) -> Iterator[int]:
    """Until when (ms) cases are kept, 0: so long as they wait; of a batch only the first."""
    yield from (batch.lapses for batch in state.packed_cases if batch.opened is None)
    yield from (case.keep_until for case in unpacked(state))


def put_away(state: UserState, few: int) -> None:
    """Packs what was opened, and the older ones of more than `few` that are not packed."""
    batches = state.packed_cases
    if any(batch.opened is not None for batch in batches):
        batches = [_again(batch) for batch in batches]
        state.packed_cases = batches = [batch for batch in batches if batch.count]
    if len(state.cases) <= few:
        return
    stay = len(state.cases) - few // 2
    older, state.cases = state.cases[:stay], state.cases[stay:]
    while older:
        if not batches or batches[-1].count >= EACH:
            batches.append(_packed([]))
        room = EACH - batches[-1].count
        _append(batches[-1], _packed(older[:room]))
        older = older[room:]


def _named(batches: list[CaseBatch], activities: Iterable[str]) -> list[CaseBatch]:
    """Those of the batches in which an activity stands. Its bit is looked for first: nearly every batch is without."""
    found: list[CaseBatch] = []
    if not batches:
        return found
    for activity in activities:
        bit, name = _bit_of(activity), _encode(activity)
        found += [batch for batch in batches if batch.activities & bit and name in batch.cases]
    return found


def _bit_of(activity: str) -> int:
    return 1 << crc32(activity.encode()) % 64


def _again(batch: CaseBatch) -> CaseBatch:
    return batch if batch.opened is None else _packed(batch.opened)


def _of(state: UserState, concerned: list[CaseBatch]) -> list[Case]:
    """Of all in order: those of these batches, and those that are unpacked."""
    for batch in concerned:
        _open(batch)
    return list(unpacked(state))


def _open(batch: CaseBatch) -> list[Case]:
    if batch.opened is None:
        batch.opened = _decode(_ARRAY + batch.count.to_bytes(4) + batch.cases)
    return batch.opened


def _packed(cases: list[Case]) -> CaseBatch:
    return CaseBatch(
        len(cases),
        min((time for case in cases for time in (case.held_until, case.fallback_at) if time), default=0),
        min((case.keep_until for case in cases), default=0),
        max((case.sent_at for case in cases), default=0),
        any(case.may_still_go for case in cases),
        reduce(or_, {_bit_of(case.activity) for case in cases}, 0),
        b"".join(map(_encode, cases)),
    )


def _append(batch: CaseBatch, more: CaseBatch) -> None:
    batch.due = min(batch.due, more.due) or batch.due or more.due
    batch.lapses = min(batch.lapses, more.lapses) if batch.count else more.lapses
    batch.sent = max(batch.sent, more.sent)
    batch.going = batch.going or more.going
    batch.activities |= more.activities
    batch.count += more.count
    batch.cases += more.cases
