"""Records of what was seen, against a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.event import FIRST_TIME, LAST_TIME, Event
from kairos.engine.seen import NOWHERE, RECORD, REMEMBERED_AT_MOST, later_than, look, time_at, times_of, with_record

NAMES = st.text(max_size=3)
TIMES = st.integers(FIRST_TIME, LAST_TIME)
AWAY = st.integers(-REMEMBERED_AT_MOST, REMEMBERED_AT_MOST)


def event(source: str, name: str) -> Event:
    return Event(name, "order", 0, source, {})


@given(now=TIMES, told=st.lists(st.tuples(NAMES, NAMES, AWAY), max_size=30), horizon=AWAY)
def test_as_a_dictionary_would(now: int, told: list[tuple[str, str, int]], horizon: int) -> None:
    seen, twin = b"", dict[tuple[str, str], int]()
    for source, name, away in told:
        mark, place = look(seen, event(source, name))
        assert (None if place == NOWHERE else time_at(seen, place, now)) == twin.get((source, name))
        seen = with_record(seen, place, mark, now + away)
        twin[source, name] = now + away
        assert len(seen) == RECORD * len(twin)
    assert list(times_of(seen, now)) == list(twin.values())
    left = [time for time in twin.values() if time > now + horizon]
    assert list(times_of(later_than(seen, now + horizon, now), now)) == left


@given(told=st.lists(st.binary(min_size=RECORD, max_size=RECORD)), name=NAMES)
def test_a_hash_is_found_only_where_a_record_begins(told: list[bytes], name: str) -> None:
    """Whatever lies around it, and wherever else its bytes happen to stand."""
    mark, _ = look(b"", event("shop", name))
    own = with_record(b"", NOWHERE, mark, 0)
    before = b"".join(record for record in told if record[:5] != own[:5])
    shifted = own[1:] + own[:1]
    for seen in (before + own, own + before, shifted + shifted + own, shifted + own + before):
        _, place = look(seen, event("shop", name))
        assert place % RECORD == 0
        assert seen[place : place + RECORD] == own
    assert look(shifted + shifted, event("shop", name))[1] == NOWHERE


@given(name=NAMES, bits=st.integers(1, 15))
def test_all_44_bits_of_the_hash_count(name: str, bits: int) -> None:
    mark, _ = look(b"", event("shop", name))
    other = with_record(b"", NOWHERE, mark ^ bits << 36, 0)
    assert look(other, event("shop", name))[1] == NOWHERE
