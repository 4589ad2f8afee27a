"""What a state remembers of many events, in blocks, against a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import FIRST_TIME, Event
from kairos.engine.user import remembered, seen
from kairos.engine.user.apart import Apart, lend, move_out, put_by
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.remembered import correct, forget_lapsed, look, remember
from kairos.engine.user.seen import RECORD, mark_of
from kairos.engine.user.state import UserState

NOW = FIRST_TIME + 10**9
NAMES = st.integers(0, 30)
AWAY = st.integers(0, 50)
steps = st.one_of(
    st.tuples(st.just("tell"), NAMES, AWAY),
    st.tuples(st.just("sweep"), AWAY, AWAY),
    st.tuples(st.just("write"), AWAY, AWAY),
)


@pytest.fixture(autouse=True)
def _small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen, "BUCKET", 2 * RECORD)
        patched.setattr(remembered, "NEWEST", 1)
        patched.setattr(remembered, "FULL", 6)
        yield


def mark(name: int) -> int:
    return mark_of(Event(str(name), "order", 0, "shop", {}))


class Written:
    """A state between two events: a value, and a shelf where there is one."""

    def __init__(self, shelf: dict[str, bytes] | None) -> None:
        self.shelf = shelf
        self._codec, self._kept = StateCodec(), b""
        self._lent: list[Apart] = []

    def get(self, name: str) -> bytes | None:
        assert self.shelf is not None
        return self.shelf.get(name)

    def put(self, name: str, part: bytes) -> None:
        assert self.shelf is not None
        self.shelf[name] = part

    def remove(self, name: str) -> None:
        assert self.shelf is not None
        self.shelf.pop(name, None)

    def again(self, state: UserState) -> UserState:
        """Written and read."""
        if self.shelf is None:
            return self._codec.decode(self._codec.encode(state))
        move_out(state.seen_blocks, self, self._lent)
        value = self._codec.encode(state)
        put_by(state.seen_blocks, self._lent)
        assert len(value) < 1_000
        state = self._codec.decode(value)
        self._lent = lend(state.seen_blocks, self)
        return state


@pytest.mark.parametrize("on_shelf", [False, True])
@settings(max_examples=150, deadline=None)
@given(walk=st.lists(steps, max_size=80), moved=st.integers(0, 80))
def test_as_a_dictionary_would(on_shelf: bool, walk: list[tuple[str, int, int]], moved: int) -> None:
    """But for what has lapsed: it may be known for as long as what it lies together with.

    `moved`: the step from which on there is a shelf.
    """
    state, twin, lapsed, written = UserState(), dict[int, int](), set[int](), Written(None)
    for number, (what, one, away) in enumerate(walk):
        if on_shelf and number == moved:
            written = Written({})
        if what == "tell":
            known = look(state, mark(one), NOW + away)
            assert known == twin.get(one) or (known is None and one in lapsed)
            if known is not None:
                correct(state, mark(one), NOW + away)
            twin[one] = NOW + away
            lapsed.discard(one)
        elif what == "sweep":
            first = forget_lapsed(state, NOW + one, NOW)
            lapsed |= {name for name, time in twin.items() if time <= NOW + one}
            assert (first is None) == state.empty
            assert first is None or NOW + one < first <= max(twin.values())
        else:
            state = written.again(state)
    for name, time in twin.items():
        assert look(state, mark(name), NOW) == time or name in lapsed
    forget_lapsed(state, NOW + 50, NOW)
    assert state.empty
    written.again(state)
    assert not written.shelf


def test_one_user_cannot_be_remembered_without_end() -> None:
    state = UserState()
    for number in range(500):
        remember(state, mark(number), NOW + number)
        assert len(state.seen_blocks) <= remembered.MOST
    known = list(takewhile(lambda number: look(state, mark(number), NOW) is not None, reversed(range(500))))
    assert remembered.MOST // 2 * 6 <= len(known) < 100
