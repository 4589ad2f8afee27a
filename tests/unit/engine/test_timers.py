"""Which timers a user's state asks for, and that nothing is decided before."""

from __future__ import annotations

import pytest

from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, DAY, HOUR, MINUTE, engine_of, event, ms, rules

METRICS = "any: {count: [order, pay]}\neach: {count: order, per: amount}\nlast: {last: event.time, of: order}\n"
SEND = "send: [{channel: sms, template: t}]\n"
DEAR = "{event: order, where: amount > 5}"
PAID = "{event: order}, {event: pay}"
TIMERS = [
    # (trigger, events, timer) before anything was applied; the sweep comes an hour after a day
    ("{event: order}", ["1m order"], "1m"),
    ("{event: order}", ["1m pay"], None),
    ("{count: order, times: 2, within: 1h}", ["1m order"], None),
    ("{count: order, times: 2, within: 1h}", ["1m order", "2m order"], "2m"),
    ("{count: order, times: 1}", ["1m order"], "1m"),
    ("{pattern: [{event: pay, optional: true}, {event: order}], within: 1h}", ["1m order"], "1m"),
    ("{pattern: [{event: order}, {event: pay}], within: 1h}", ["1m pay"], None),
    ("{pattern: [{event: order}, {event: pay}], within: 1h}", ["1m order"], None),
    ("{pattern: [{event: order}, {event: pay}], within: 1h}", ["1m order", "2m pay"], "2m"),
    ("{pattern: [{event: order}, {absent: pay}], within: 10m}", ["1m order"], "11m"),
    ("{pattern: [{event: order}, {absent: pay}], within: 10m}", ["1m order", "2m pay"], "11m"),
    ("{pattern: [{event: order}, {absent: pay}], within: 10m}", ["1m pay"], None),
    ("{event: other}", ["1m order"], None),
    ("{pattern: [{event: order}, {event: pay}, {not_next: back}], within: 1h}", ["1m order"], None),
    (
        "{pattern: [{event: order}, {event: pay}, {not_next: back}], within: 1h}",
        ["1m order", "2m pay", "3m order"],
        "2m",
    ),
    # a condition that the event and what came before it answer is asked at once; one that needs more is not
    ("{event: order, where: amount > 5}", ["1m order amount=6"], "1m"),
    ("{event: order, where: amount > 5}", ["1m order amount=5"], None),
    ("{event: order, where: 'metric.any > 5'}", ["1m order"], "1m"),
    ("{event: order, where: 'prior.any > 0'}", ["1m order"], None),
    ("{event: order, where: 'prior.any == 0'}", ["1m order"], "1m"),
    ("{event: order, where: 'prior.any > 0'}", ["1m order", "2m order"], "2m"),
    ("{event: order, where: 'prior.any > 0 and profile.level > 5'}", ["1m order"], None),
    ("{event: order, where: 'prior.any > 0 or profile.level > 5'}", ["1m order"], "1m"),
    ("{per: amount, event: order, where: 'prior.each > 0'}", ["1m order amount=5"], "1m"),
    ("{event: order, where: 'days_since(prior.last) >= 3'}", ["1m order"], None),
    ("{event: order, where: 'days_since(amount) >= 3'}", ["1m order amount=5"], "1m"),
    ("{event: order, where: 'profile.level > 5'}", ["1m order"], "1m"),
    ("{event: order, where: 'hour(event.time) == 25'}", ["1m order"], "1m"),
    (f"{{pattern: [{DEAR}, {{absent: pay}}], within: 10m}}", ["1m order amount=6"], "11m"),
    (f"{{pattern: [{DEAR}, {{absent: pay}}], within: 10m}}", ["1m order amount=5"], None),
    (f"{{pattern: [{DEAR}, {{event: pay}}], within: 1h}}", ["1m order amount=6", "2m pay"], "2m"),
    (f"{{pattern: [{DEAR}, {{event: pay}}], within: 1h}}", ["1m order amount=5", "2m pay"], None),
    (f"{{pattern: [{DEAR[:-1]}, optional: true}}, {{event: pay}}], within: 1h}}", ["1m pay"], "1m"),
    (f"{{pattern: [{DEAR[:-1]}, times: 2}}, {{event: pay}}], within: 1h}}", ["1m order amount=5", "2m pay"], None),
]


@pytest.mark.parametrize(("trigger", "given", "timer"), TIMERS)
def test_an_event_that_can_decide_nothing_costs_no_timer(trigger: str, given: list[str], timer: str | None) -> None:
    engine = engine_of(rules(f"activity: a\ntrigger: {trigger}\n", metrics=METRICS))
    state = UserState()
    for place, text in enumerate(given):
        engine.on_event("u1", state, event(text, place), BASE)
    wanted = BASE + MINUTE + DAY + HOUR if timer is None else BASE + ms(timer)
    assert engine.next_timer("u1", state) == wanted


def test_what_could_complete_a_match_costs_a_timer_once_there_is_a_run_to_complete() -> None:
    engine = engine_of(rules("activity: a\ntrigger: {pattern: [{event: order}, {event: pay}], within: 1h}\n"))
    state = UserState()
    engine.on_event("u1", state, event("1m order"), BASE + ms("2m"))
    engine.on_event("u1", state, event("3m pay", 2), BASE + ms("2m"))
    assert engine.next_timer("u1", state) == BASE + ms("3m")


def test_an_event_that_a_final_not_next_passes_over_decides() -> None:
    engine = engine_of(
        rules("activity: a\ntrigger: {pattern: [{event: order}, {event: pay}, {not_next: back}], within: 1h}\n")
    )
    state = UserState()
    for place, text in enumerate(("1m order", "2m pay")):
        engine.on_event("u1", state, event(text, place), BASE + ms("2m"))
    engine.on_event("u1", state, event("3m order", 3), BASE + ms("2m"))
    assert engine.next_timer("u1", state) == BASE + ms("3m")
    assert len(engine.on_time("u1", state, BASE + ms("3m"))) == 1


def test_what_joins_an_open_match_is_looked_at_when_that_ends() -> None:
    """An absence is decided at its deadline, whenever the events before it come."""
    trigger = "{per: amount, pattern: [{event: order, times: 3}, {absent: pay}], within: 30m}"
    engine = engine_of(rules(f"activity: a\ntrigger: {trigger}\n"))
    state = UserState()
    for minute in range(1, 5):
        engine.on_event("u1", state, event(f"{minute}m order amount=1", minute), BASE + ms(f"{minute}m") - 1)
        wanted = BASE + MINUTE + DAY + HOUR if minute == 1 else BASE + ms("31m")
        assert engine.next_timer("u1", state) == wanted
    engine.on_event("u1", state, event("5m pay amount=1", 5), BASE + ms("5m") - 1)
    assert engine.next_timer("u1", state) == BASE + ms("31m")


def test_a_goal_asks_for_a_timer_only_where_something_was_sent() -> None:
    engine = engine_of(rules("activity: a\ntrigger: {event: order}\n" + SEND + "goal: {event: pay, within: 1h}\n"))
    state = UserState()
    engine.on_event("u1", state, event("1m pay"), BASE)
    assert engine.next_timer("u1", state) == BASE + MINUTE + DAY + HOUR
    engine.on_event("u1", state, event("2m order", 2), BASE + ms("2m"))
    engine.on_event("u1", state, event("3m pay", 3), BASE + ms("2m"))
    assert engine.next_timer("u1", state) == BASE + ms("3m")


def test_what_is_in_the_tail_undoes_what_is_held_in_time() -> None:
    text = "activity: a\ntrigger: {pattern: [{event: order}, {absent: pay}], within: 1m}\n" + SEND
    engine = engine_of(rules(text, policy="quiet_hours: {from: '12:00', to: '13:00'}\n"))
    state = UserState()
    engine.on_event("u1", state, event("0s order"), BASE)
    engine.on_event("u1", state, event("2m pay", 2), BASE + MINUTE)
    assert engine.next_timer("u1", state) == BASE + ms("2m")


def test_nothing_is_decided_before_the_watermark_is_there() -> None:
    engine = engine_of(rules("activity: a\ntrigger: {event: order}\n"))
    state = UserState()
    assert engine.on_event("u1", state, event("1m order"), BASE + MINUTE - 1) == []
    assert len(engine.on_time("u1", state, BASE + MINUTE)) == 1
