"""The tail of a user, most of it packed, against one sorted list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.user import tail
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from kairos.engine.user.tail import insert, remove, take, unpack_next

steps = st.one_of(
    st.tuples(st.just("insert"), st.integers(0, 30)),
    st.tuples(st.just("insert"), st.integers(0, 30)),
    st.tuples(st.sampled_from(["take", "remove"]), st.integers(0, 30)),
    st.tuples(st.just("restore"), st.just(0)),
)


def taken(state: UserState, until: int) -> list[Event]:
    """As the engine takes them: instant by instant."""
    events: list[Event] = []
    while True:
        if state.later and not state.tail:
            unpack_next(state, until)
        if not state.tail or state.tail[0].time > until:
            return events
        events += take(state, state.tail[0].time)


@settings(max_examples=200)
@given(st.lists(steps, max_size=60), st.sampled_from([(1, 1), (4, 2), (3, 5)]))
def test_the_tail_is_a_sorted_list(walk: list[tuple[str, int]], sizes: tuple[int, int]) -> None:
    codec, state, plain = StateCodec(), UserState(), list[Event]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tail, "MOST", sizes[0])
        patched.setattr(tail, "EACH", sizes[1])
        for number, (what, time) in enumerate(walk):
            if what == "insert":
                event = Event(
                    f"e{number % 7}", "order", time, "shop", {"n": number}, merged=bool(time % 2), seq=time % 3
                )
                insert(state, event)
                plain.append(event)
            elif what == "take":
                due = sorted((event for event in plain if event.time <= time), key=tail._ORDER)
                assert [event.order for event in taken(state, time)] == [event.order for event in due]
                plain = [event for event in plain if event.time > time]
            elif what == "remove":
                remove(state, Event(f"e{time % 7}", "order", 0, "shop", {}))
                plain = [event for event in plain if event.id != f"e{time % 7}"]
            else:
                state = codec.decode(codec.encode(state))
            assert len(state.tail) + sum(later.count for later in state.later) == len(plain)
        assert [event.order for event in taken(state, 30)] == sorted(event.order for event in plain)
        assert state.empty


def test_what_is_unpacked_together_is_put_away_again() -> None:
    """However many events have come, out of order, to where few were packed."""
    state = UserState()
    for number in [*range(0, 1_000, 100), *range(1_000)]:
        insert(state, Event(f"e{number}", "order", number, "shop", {}))
    left = len(state.tail) + sum(later.count for later in state.later)
    while state.later or state.tail:
        if not state.tail:
            unpack_next(state, 1_000)
        assert len(state.tail) <= tail.MOST
        left -= len(take(state, state.tail[0].time))
    assert left == 0


def test_of_a_long_tail_little_is_unpacked() -> None:
    state = UserState()
    for number in range(1_000):
        insert(state, Event(f"e{number}", "order", number, "shop", {}))
    assert len(state.tail) <= tail.MOST
    assert len(state.later) <= 1_000 // tail.EACH + 1
