"""The story of one user: what was taken, what was not and why, gates, near misses."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.event import Event
from kairos.engine.play.explain import Line, Story, starters
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load

START = 1_763_778_000_000  # 2025-11-22T10:20 in Shanghai
MINUTE = 60_000
POLICY = """timezone: Asia/Shanghai
quiet_hours: {from: "22:00", to: "08:00"}
lists: {black: [villain]}
caps:
  marketing:
    rules: [{max: 1, per: 1d}]
    on_exceed: {retry_for: 2h}
"""
SEND = "\nsend: [{channel: sms, template: note}]"
UNPAID = """
trigger:
  per: order_id
  pattern:
    - {event: order, where: amount >= 50}
    - {absent: paid, where: amount >= order.amount}
  within: 10m
"""
THIRD = """
trigger: {count: purchase, where: amount > 5 and status == "ok", times: 3, within: 7d}
"""
SEQUENCE = """
trigger:
  pattern:
    - {event: view, as: v, times: {min: 2}}
    - {event: cart, next: strict, where: item == v.last.item}
    - {not_next: view}
    - {event: pay}
  within: 1h
"""


def story(
    rule: str,
    *events: tuple[int, str, dict[str, Any]],
    user: str = "u1",
    profiles: dict[str, Any] | None = None,
    policy: str = POLICY,
) -> list[Line]:
    """`events`: (minute, type, props), named e1, e2, ... in this order."""
    files = {
        "activities/t/a.yaml": f"activity: a\nstate: live\n{rule}".encode(),
        "policy.yaml": policy.encode(),
        "crowds.yaml": b"buyers: {where: metric.n >= 1}\nstaff: {members: [u1]}\n",
        "metrics.yaml": b"n: {count: purchase}\n",
        "templates/note.sms.liquid": b"hello",
        "templates/note.email.liquid": b"{{ name }}",
    }
    loaded = load(files)
    assert loaded.rules is not None, loaded.findings
    watcher = Story(user)
    simulation = Simulation(loaded.rules, profiles, observer=watcher)
    given = [
        Event(f"e{n}", kind, START + at * MINUTE, "", props, user) for n, (at, kind, props) in enumerate(events, 1)
    ]
    other = [Event("x1", kind, START + at * MINUTE, "", props, "somebody_else") for at, kind, props in events[:1]]
    return watcher.tell("a", list(simulation.run([*given, *other])), 2**62)


def told(*arguments: Any, **options: Any) -> list[str]:
    """`minute kind: text`."""
    return [
        f"{(line.at - START) // MINUTE} {line.kind}: {line.text}"
        + (f" until {(line.until - START) // MINUTE}" if line.until is not None else "")
        for line in story(*arguments, **options)
    ]


def order(number: int, amount: int) -> dict[str, Any]:
    return {"order_id": f"o{number}", "amount": amount}


def test_an_absence_that_comes_true() -> None:
    assert told(UNPAID, (0, "order", order(1, 80)), (3, "paid", order(1, 10))) == [
        "0 took: order e1 is taken as `order` (of o1)",
        "0 waits: waits that no paid comes until 10",
        "3 missed: paid e2 does not count for `paid`: amount >= order.amount is false, amount is 10, "
        "order.amount is 80 (of o1)",
        "10 took: no paid came in time: the trigger is complete",
        "10 gate: passes every gate",
        "10 record: -> match",
    ]


def test_an_absence_that_is_cancelled() -> None:
    assert told(UNPAID, (0, "order", order(1, 80)), (3, "paid", order(1, 80)))[2:] == [
        "3 ended: paid e2 ends the match of `order` (e1) (of o1)",
    ]


def test_a_condition_that_failed_is_shown_with_its_values() -> None:
    assert told(UNPAID, (0, "order", order(1, 20))) == [
        "0 missed: order e1 does not count for `order`: amount >= 50 is false, amount is 20 (of o1)",
    ]


def test_only_what_speaks_against_a_condition_is_shown() -> None:
    [line] = told(THIRD, (0, "purchase", {"amount": 10, "status": "bad"}))
    assert line.endswith('`purchase`: amount is 10, status == "ok" is false, status is "bad"')


def test_a_script_that_is_not_true_says_so() -> None:
    rule = 'trigger: {event: order, where: {js: "event.props.amount > 50"}}'
    assert told(rule, (0, "order", order(1, 20)), (1, "order", order(2, 60)))[:2] == [
        "0 missed: order e1 does not count for `order`: the JavaScript condition is not true",
        "1 took: order e2 is taken as `order`",
    ]


def test_a_near_miss_says_what_was_missing() -> None:
    purchase = {"amount": 10, "status": "ok"}
    assert told(THIRD, (0, "purchase", purchase), (5, "purchase", purchase)) == [
        "0 took: purchase e1 is taken as `purchase`",
        "0 waits: waits for 2 more purchase events until 10080",
        "5 took: purchase e2 is taken as `purchase`",
        "5 waits: waits for another purchase until 10080",
        "10080 missed: time is over for `purchase` (e1, e2): still waited for another purchase",
    ]


def test_a_count_that_is_reached() -> None:
    purchase = {"amount": 10, "status": "ok"}
    assert told(THIRD, *((minute, "purchase", purchase) for minute in range(3)))[4:] == [
        "2 took: purchase e3 is taken as `purchase`",
        "2 took: the trigger is complete: e1, e2, e3",
        "2 gate: passes every gate",
        "2 record: -> match",
    ]


def test_steps_conditions_on_earlier_steps_and_what_ends_a_match() -> None:
    events = [(0, "view", "a"), (1, "view", "b"), (2, "cart", "a"), (3, "cart", "b"), (4, "view", "z")]
    assert told(SEQUENCE, *((at, kind, {"item": item}) for at, kind, item in events)) == [
        "0 took: view e1 is taken as `v`",
        "0 waits: waits for another view until 60",
        "1 took: view e2 is taken as `v`",
        "1 waits: waits for cart until 60",
        '2 missed: cart e3 does not count for `cart`: item == v.last.item is false, item is "a", v.last.item is "b"',
        "3 missed: cart e4 does not count for `cart`: another event came in between",
        "4 took: view e5 is taken as `v`",
        "4 waits: waits for cart until 60",
        "60 missed: time is over for `v` (e1, e2, e5): still waited for cart",
    ]


def test_what_a_later_step_waits_for() -> None:
    events = [(0, "view", "a"), (1, "view", "b"), (2, "cart", "b"), (3, "view", "c")]
    lines = told(SEQUENCE, *((at, kind, {"item": item}) for at, kind, item in events))
    assert lines[4:7] == [
        "2 took: cart e3 is taken as `cart`",
        "2 waits: waits for pay, and no view before until 60",
        "3 took: view e4 is taken as `v`",
    ]
    assert "3 ended: view e4 ends the match of `v` (e1, e2), `cart` (e3)" in lines


BUY = "trigger: {event: purchase, where: amount > 5}"


@pytest.mark.parametrize(
    ("rule", "user", "profile", "expected"),
    [
        ("audience: {in: [buyers], not_in: [staff]}", "u1", {}, "stopped by audience: in staff"),
        ("audience: {any_of: [staff]}", "u2", {}, "stopped by audience: in none of staff"),
        (
            "audience: {where: profile.level >= 2}", "u1", {"level": 1},
            "stopped by audience: profile.level >= 2 is false, profile.level is 1",
        ),
        (
            "active: {until: 2025-11-01T00:00}", "u1", {},
            "stopped by state and dates: active only until 2025-11-01 00:00:00+08:00",
        ),
        (
            "active: {from: 2026-11-01T00:00}", "u1", {},
            "stopped by state and dates: active only from 2026-11-01 00:00:00+08:00",
        ),
        ("audience: {control_group: 100%}", "u1", {}, "belongs to the control group, which gets nothing"),
        ("send: [{channel: sms, template: note}]", "villain", {}, "stopped by black list: the user is on it"),
        ("send: [{channel: sms, template: note}]", "u1", {"email": "x"}, "stopped by reach: no phone for sms"),
        (
            "send: [{channel: sms, template: note}]", "u1", {"phone": "1", "unsubscribed": ["sms"]},
            "stopped by reach: unsubscribed from sms",
        ),
        (
            "send: [{channel: sms, template: note}]", "u1", {"phone": "1", "dead_addresses": ["1"]},
            "stopped by reach: a dead phone for sms",
        ),
        (
            "send: [{channel: email, template: note}]\ndata: {name: profile.name}", "u1", {"email": "x"},
            "stopped by content: templates/note.email.liquid: no value for name",
        ),
    ],
)  # fmt: skip
def test_the_gate_that_stopped_it(rule: str, user: str, profile: dict[str, Any], expected: str) -> None:
    rule = f"{BUY}\n{rule}{'' if 'send' in rule else SEND}"
    lines = story(rule, (0, "purchase", {"amount": 10}), user=user, profiles={user: profile})
    assert expected in [line.text for line in lines]


def test_once_says_when_the_last_one_was() -> None:
    purchase = {"amount": 10}
    lines = told(f"{BUY}{SEND}\nlimits: {{once: 30d}}", (0, "purchase", purchase), (5, "purchase", purchase))
    assert "5 gate: stopped by once: once in 30d, and the last one was at 2025-11-22 10:20:00+08:00" in lines


def test_a_hold_says_until_when_and_is_told_again_when_it_ends() -> None:
    lines = told(
        f"{BUY}{SEND}\nlimits: {{caps: [marketing]}}", (0, "purchase", {"amount": 10}), (5, "purchase", {"amount": 10})
    )
    stopped = "stopped by caps: marketing allows 1 in 1d; the last sends were at 2025-11-22 10:20:00+08:00"
    assert [line for line in lines if "caps:" in line] == [
        f"5 gate: {stopped}; held until 125",
        f"125 gate: {stopped}",
    ]
    assert lines[-1] == "125 record: -> suppress: cap:marketing"


def test_what_tells_rules_of_a_cap_apart_is_said() -> None:
    policy = "{rules: [{max: 1, per: 1d, window: calendar}, {max: 4, per: 7d}, {max: 1, per: 1d, channel: sms}]}"
    rule = f"{BUY}{SEND}\nlimits: {{caps: [marketing]}}"
    bought = {"amount": 10}
    lines = story(
        rule,
        (0, "purchase", bought),
        (5, "purchase", bought),
        policy=f"timezone: Asia/Shanghai\ncaps: {{marketing: {policy}}}\n",
    )
    (stopped,) = [line.text for line in lines if "caps: marketing" in line.text]
    assert "marketing allows 1 in 1d (calendar), 4 in 7d, 1 in 1d (sms); the last sends were at" in stopped


def test_quiet_hours() -> None:
    lines = told(f"{BUY}{SEND}", (12 * 60, "purchase", {"amount": 10}))
    assert lines[2:] == [
        "720 gate: passes state and dates, black list, audience, once, control group",
        "720 gate: stopped by quiet hours: from 22:00 to 08:00, and it is 2025-11-22 22:20:00+08:00; held until 1300",
        "720 record: -> hold: quiet_hours",
        "1300 gate: passes every gate",
        "1300 record: -> send by sms",
    ]


def test_what_can_begin_a_match() -> None:
    files = {"activities/t/a.yaml": b"""activity: a
trigger: {pattern: [{event: [x, y], optional: true}, {event: z}, {event: end}], within: 1h}
"""}  # fmt: skip
    loaded = load(files)
    assert loaded.rules is not None
    assert starters(Simulation(loaded.rules).program, "a") == ("x", "y", "z")
