"""What is remembered of events, against a dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.event import FIRST_TIME, LAST_TIME, Event
from kairos.engine.policy.spec import REMEMBERED_AT_MOST
from kairos.engine.user import seen as module
from kairos.engine.user.seen import (
    RECORD,
    add,
    forget,
    later_than,
    look,
    mark_of,
    move,
    time_of,
    times_of,
)

NAMES = st.text(max_size=3)
TIMES = st.integers(FIRST_TIME, LAST_TIME)
AWAY = st.integers(-REMEMBERED_AT_MOST, REMEMBERED_AT_MOST)
IDENTITIES = st.tuples(NAMES, NAMES, NAMES)


def event(source: str, kind: str, name: str) -> Event:
    return Event(name, kind, 0, source, {})


@given(now=TIMES, told=st.lists(st.tuples(IDENTITIES, AWAY), max_size=40), horizon=AWAY, bucket=st.integers(1, 4))
def test_as_a_dictionary_would(
    now: int, told: list[tuple[tuple[str, str, str], int]], horizon: int, bucket: int
) -> None:
    seen, twin = list[bytes](), dict[tuple[str, str, str], int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BUCKET", bucket * RECORD)
        for identity, away in told:
            mark = mark_of(event(*identity))
            known = look(seen, mark, now + away)
            assert known == twin.get(identity)
            if known is not None:
                move(seen, mark, now + away)
            twin[identity] = now + away
        assert sorted(times_of(seen, now)) == sorted(twin.values())
        left, first = later_than(seen, now + horizon, now)
        after = sorted(time for time in twin.values() if time > now + horizon)
        assert sorted(times_of(left, now)) == after
        assert first == (after[0] if after else None)
        for identity, time in twin.items():
            mark = mark_of(event(*identity))
            assert time_of(left, mark, now) == (time if time > now + horizon else None)
            forget(seen, mark)
            assert time_of(seen, mark, now) is None


@given(told=st.lists(st.binary(min_size=RECORD, max_size=RECORD)), name=NAMES)
def test_a_hash_is_found_only_where_a_record_begins(told: list[bytes], name: str) -> None:
    """Whatever lies around it, and wherever else its bytes happen to stand."""
    mark, seen = mark_of(event("shop", "order", name)), list[bytes]()
    add(seen, mark, FIRST_TIME)
    own = seen[0]
    before = b"".join(record for record in told if record[:5] != own[:5])
    shifted = own[1:] + own[:1]
    for records in (before + own, own + before, shifted + shifted + own, shifted + own + before):
        assert time_of([records], mark, FIRST_TIME) == FIRST_TIME
    assert time_of([shifted + shifted], mark, FIRST_TIME) is None


@given(name=NAMES, bits=st.integers(1, 15))
def test_all_44_bits_of_the_hash_count(name: str, bits: int) -> None:
    mark, seen = mark_of(event("shop", "order", name)), list[bytes]()
    add(seen, mark ^ bits << 36, 0)
    assert time_of(seen, mark, 0) is None
