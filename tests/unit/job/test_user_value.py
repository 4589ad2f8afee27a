"""A user's value in keyed state, and the values of jobs before this version of it."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec
import pytest

from kairos.engine.event import Event
from kairos.engine.user import remembered, seen
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.remembered import look, remember
from kairos.engine.user.seen import mark_of
from kairos.engine.user.state import UserState
from operators.user_value import UserValue, take_timer
from tests.unit.engine.test_state import GOLDEN, full_state
from tests.unit.job.evaluate_kit import Flink, T


def key(value: bytes | None = None) -> Flink:
    """One key of Flink's: its value state and its timers."""
    flink = Flink()
    if value is not None:
        flink.update(value)
    return flink


def save(flink: Flink, state: UserState, due: int | None) -> None:
    timers: Any = flink
    UserValue(flink, flink.shelf).save(state, due, timers)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("registered", "timer"), [(-1, 0), (1_763_778_000_000, 1_763_778_000_000)])
@pytest.mark.parametrize("wrapped", [bytes, pickle.dumps])
def test_a_value_from_before_version_3_is_read_with_its_timer(
    version: int, registered: int, timer: int, wrapped: Callable[[bytes], bytes]
) -> None:
    value = struct.pack(">q", registered) + (GOLDEN / f"state_v{version}.msgpack").read_bytes()
    flink = key(wrapped(value))
    state = UserValue(flink, flink.shelf).load()
    assert state.timer == timer
    state.timer = 0
    assert msgspec.to_builtins(state) == msgspec.to_builtins(full_state(version))


def test_one_timer_a_user_and_an_earlier_one_is_left_to_fire() -> None:
    flink, state = key(), UserState(tail=[Event("e", "order", 1, "shop", {})])
    for due in (20, 30, None, 10):
        save(flink, state, due)
    assert flink.timers == [20, 10]
    assert UserValue(flink, flink.shelf).load().timer == 10


@pytest.mark.parametrize(("fired", "left"), [(9, 10), (10, 0), (11, 0)])
def test_a_timer_that_fires_is_the_registered_one_or_an_older(fired: int, left: int) -> None:
    state = UserState(timer=10)
    take_timer(state, fired)
    assert state.timer == left


def test_an_empty_state_is_no_value() -> None:
    flink = key(b"")
    save(flink, UserState(applied_until=7, due=3), None)
    assert flink.value() is None
    assert UserValue(flink, flink.shelf).load() == UserState()


# -------------------------------------------------------------------------------- what lies beside the value (apart.py)
@pytest.fixture
def _small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seen, "BUCKET", 2 * seen.RECORD)
        patched.setattr(remembered, "NEWEST", 1)
        yield


def told(number: int) -> Event:
    return Event(str(number), "order", T, "shop", {})


def taken(flink: Flink, numbers: range) -> UserState:
    """A state that remembers these events, saved after each."""
    state = UserState()
    for number in numbers:
        remember(state, mark_of(told(number)), T)
        save(flink, state, None)
        state = UserValue(flink, flink.shelf).load()
    return state


@pytest.mark.usefixtures("_small_blocks")
def test_events_of_long_ago_lie_beside_the_value() -> None:
    flink = key()
    state = taken(flink, range(100))
    assert len(flink.value() or b"") < 200
    assert sum(map(len, flink.shelf.parts.values())) > 80 * seen.RECORD
    for number in range(100):
        assert look(state, mark_of(told(number)), T) == T
    assert look(state, mark_of(told(100)), T) is None


@pytest.mark.usefixtures("_small_blocks")
def test_a_user_who_is_forgotten_leaves_nothing_beside_it() -> None:
    flink = key()
    taken(flink, range(20))
    user, timers = UserValue(flink, flink.shelf), cast(Any, flink)
    user.load()
    user.save(UserState(), None, timers)
    assert (flink.values, flink.shelf.parts) == ({}, {})


@pytest.mark.usefixtures("_small_blocks")
def test_a_block_that_was_written_into_the_value_is_moved_out() -> None:
    state = UserState()
    for number in range(100):
        remember(state, mark_of(told(number)), T)
    flink = key(StateCodec().encode(state))
    user, timers = UserValue(flink, flink.shelf), cast(Any, flink)
    user.save(user.load(), None, timers)
    assert len(flink.value() or b"") < 200
    state = user.load()
    assert all(look(state, mark_of(told(number)), T) == T for number in range(100))


@pytest.mark.usefixtures("_small_blocks")
def test_a_state_that_cannot_be_written_leaves_all_as_it_was() -> None:
    flink = key()
    taken(flink, range(20))
    user, timers = UserValue(flink, flink.shelf), cast(Any, flink)
    state, before = user.load(), (dict(flink.values), dict(flink.shelf.parts))
    for number in range(20, 40):
        remember(state, mark_of(told(number)), T)
    state.metrics["broken"] = object()
    with pytest.raises(TypeError):
        user.save(state, None, timers)
    assert (flink.values, flink.shelf.parts) == before
