"""Deadlines that come to light after they have passed: what comes in company is heard first."""

from __future__ import annotations

import pytest

from kairos.engine.user.codec import StateCodec
from tests.engine_kit import BASE, ms
from tests.unit.engine.live_user import User, user

UNPAID = """activity: unpaid
trigger: {pattern: [{event: order}, {absent: pay}], within: 10m}
send: [{channel: sms, template: t}]
"""


def uploaded(*texts: str) -> User:
    """A user of whom nothing is known; these come at 5h, one after the other."""
    u = user(UNPAID)
    for place, text in enumerate(texts, 1):
        assert u.take(text, "5h", place) == []
    return u


def test_the_event_that_forbids_it_may_be_next_in_line() -> None:
    assert uploaded("0s order", "5m pay").wait("6h") == []


def test_else_it_fires_when_time_has_moved_on_twice() -> None:
    u = uploaded("0s order")
    assert u.wait("5h1s999ms") == []
    assert u.wait("5h2s") == []
    assert u.wait("5h2s1ms") == ["10m unpaid send sms"]


def test_a_jump_of_the_watermark_between_two_records_is_no_time_that_has_passed() -> None:
    u = uploaded("0s order")
    u.wait("9h")
    assert u.take("5m pay", "9h", 2) == []
    assert u.wait("10h") == []


def test_each_further_late_event_prolongs_it_up_to_a_limit() -> None:
    u = user(UNPAID)
    u.take("0s order", "5h", 1)
    for second in range(1, 60):
        u.take(f"{second}s other", f"5h{second}s", second + 1)
        u.take(f"{second}s order", f"5h{second}s", second + 1)
        if u.wait(f"5h{second}s") or u.wait(f"5h{second}s1ms"):
            break
    assert second == 20


def test_what_comes_in_time_waits_for_nothing() -> None:
    u = user(UNPAID)
    u.take("0s order", "-2s", 1)
    u.wait("9m59s")
    assert u.wait("10m") == ["10m unpaid send sms"]


def test_what_was_due_before_the_event_came_is_not_held_up_by_it() -> None:
    u = user(UNPAID)
    u.take("0s order", "0s", 1)
    assert u.take("20m order", "20m", 2) == ["10m unpaid send sms"]


@pytest.mark.parametrize("restored_after", range(4))
def test_a_restore_changes_nothing(restored_after: int) -> None:
    u, codec = user(UNPAID), StateCodec()
    told = []
    for step, (text, watermark) in enumerate([("0s order", "5h"), ("2m order", "5h"), ("", "5h2s"), ("", "5h2s1ms")]):
        told.append(u.take(text, watermark, step + 1) if text else u.wait(watermark))
        if step == restored_after:
            u.state = codec.decode(codec.encode(u.state))
    assert told == [[], [], [], ["10m unpaid send sms", "12m unpaid send sms"]]


def test_the_timer_is_never_one_that_has_passed() -> None:
    """Flink would ask again and again."""
    u = uploaded("0s order")
    timers = []
    for watermark in ("5h", "5h2s", "5h2s1ms", "30h"):
        u.wait(watermark)
        timers.append((u.engine.next_timer("u1", u.state) or BASE + ms("99d")) - BASE - ms(watermark))
    assert all(timer > 0 for timer in timers)


def test_a_receipt_that_is_next_in_line_keeps_the_fallback_from_going() -> None:
    u = user(
        "activity: a\ntrigger: {event: order}\n"
        "send: [{channel: push, template: t}, {channel: sms, template: t, after: 1m, unless: delivered}]\n"
    )
    u.take("0s order", "0s", 1)
    assert u.take("1s receipt activity=a status=sent", "1h", 2) == []
    assert u.take("2s receipt activity=a status=delivered", "1h", 3) == []
    assert u.wait("2h") == []
