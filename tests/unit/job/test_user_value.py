"""A user's value in keyed state, and the values of jobs before this version of it."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kairos.engine.event import Event
from kairos.engine.user.state import UserState
from operators.user_value import UserValue, take_timer
from tests.unit.engine.test_state import GOLDEN, full_state
from tests.unit.job.evaluate_kit import Flink


def key(value: bytes | None = None) -> Flink:
    """One key of Flink's: its value state and its timers."""
    flink = Flink()
    if value is not None:
        flink.update(value)
    return flink


def save(flink: Flink, state: UserState, due: int | None) -> None:
    timers: Any = flink
    UserValue(flink).save(state, due, timers)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("registered", "timer"), [(-1, 0), (1_763_778_000_000, 1_763_778_000_000)])
@pytest.mark.parametrize("wrapped", [bytes, pickle.dumps])
def test_a_value_from_before_version_3_is_read_with_its_timer(
    version: int, registered: int, timer: int, wrapped: Callable[[bytes], bytes]
) -> None:
    value = struct.pack(">q", registered) + (GOLDEN / f"state_v{version}.msgpack").read_bytes()
    state = UserValue(key(wrapped(value))).load()
    assert state.timer == timer
    state.timer = 0
    assert msgspec.to_builtins(state) == msgspec.to_builtins(full_state(version))


def test_one_timer_a_user_and_an_earlier_one_is_left_to_fire() -> None:
    flink, state = key(), UserState(tail=[Event("e", "order", 1, "shop", {})])
    for due in (20, 30, None, 10):
        save(flink, state, due)
    assert flink.timers == [20, 10]
    assert UserValue(flink).load().timer == 10


@pytest.mark.parametrize(("fired", "left"), [(9, 10), (10, 0), (11, 0)])
def test_a_timer_that_fires_is_the_registered_one_or_an_older(fired: int, left: int) -> None:
    state = UserState(timer=10)
    take_timer(state, fired)
    assert state.timer == left


def test_an_empty_state_is_no_value() -> None:
    flink = key(b"")
    save(flink, UserState(applied_until=7, due=3), None)
    assert flink.value() is None
    assert UserValue(flink).load() == UserState()
