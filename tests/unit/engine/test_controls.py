"""What other processes tell the job to do about a user."""

from __future__ import annotations

import pytest

from kairos.engine.event import CONTROLS, FORGET, KAIROS, Event, EventError
from kairos.engine.source.schema import check_of
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, HOUR, ms
from tests.unit.engine.live_user import user

RULE = """
activity: a
trigger: {pattern: [{event: order, as: order}, {absent: pay}], within: 1h}
data: {n: metric.orders}
send: [{channel: webhook}]
"""


def forget(at: str) -> Event:
    return Event("forget/u1", FORGET, BASE + ms(at), KAIROS, {}, "u1")


def test_whoever_is_forgotten_leaves_nothing_and_may_begin_again() -> None:
    her = user(RULE, metrics="orders: {count: order, window: 7d}\n")
    her.take("0s order", "30m", 1)
    her.take("40m order", "35m", 2)  # it still waits for the watermark
    her.state.timer = 17
    assert her.engine.on_event("u1", her.state, forget("45m"), BASE + ms("41m")) == []
    assert her.state == UserState(timer=17)
    assert her.state.empty
    assert her.engine.next_timer("u1", her.state) is None
    assert her.wait("3h") == []
    her.take("4h order", "4h1m", 3)
    assert her.wait("5h") == ["5h a send webhook"]
    (case,) = her.state.cases
    assert case.matched_at == BASE + 5 * HOUR


@pytest.mark.parametrize("type_", CONTROLS)
def test_no_source_may_say_so(type_: str) -> None:
    check = check_of(None)
    check(Event("x", type_, BASE, KAIROS, {}, "u1"))
    with pytest.raises(EventError, match="not for sources to send"):
        check(Event("x", type_, BASE, "shop", {}, "u1"))
