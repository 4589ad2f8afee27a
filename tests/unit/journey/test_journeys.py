"""Journeys, sentence by sentence of their contract: entry, messages, waits, choices, exits, goals and the end.

The journey is `j`, entered by `in` at noon of Monday 2026-11-02, UTC; its decisions are told without its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kairos.engine.decision import Record, share_of
from tests.engine_kit import decisions, events, receipt, rules, run, tell

HEAD = "journey: j\nstate: live\ntrigger: {event: in, as: in_}\n"
POLICY = "timezone: UTC\n"


def journey(steps: str, head: str = "", trigger: str = "{event: in, as: in_}") -> str:
    """`steps`: one a line; a short word is a message of that id."""
    lines = [line.strip() for line in steps.strip().splitlines()]
    written = [f"{{id: {line}, send: [{{channel: webhook}}]}}" if line.isidentifier() else line for line in lines]
    return f"journey: j\nstate: live\ntrigger: {trigger}\n{head}steps:\n" + "".join(f"  - {one}\n" for one in written)


def told(record: Record) -> str:
    """`2d hello send`, `2d left done`; channels are not told where they are webhook."""
    said = tell(record).replace(" webhook", "").replace(" j.", " ").replace(" j ", " ")
    return said.replace("left match", f"left {record.data['reason']}") if record.activity == "j.left" else said


def story(
    text: str, *given: str, profiles: Mapping[str, Mapping[str, Any]] | None = None, policy: str = POLICY, **files: str
) -> list[str]:
    """Receipts among the events: `1h hello sent`."""
    happened = [receipt(one.replace(" ", " j.", 1)) if one.split(" ")[1] in MESSAGES else None for one in given]
    plain = events(*given)
    mixed = [plain[n] if one is None else one for n, one in enumerate(happened)]
    return sorted(told(record) for record in run(rules(text, policy=policy, **files), mixed, profiles))


MESSAGES = ("hello", "tips", "last")

WAITS = [
    # (steps, when the user comes in, decisions)
    ("hello", "0s", ["0s match", "0s hello send", "0s left done"]),
    ("{wait: 2d}\nhello\n{wait: 36h}", "0s", ["0s match", "2d hello send", "3d12h left done"]),
    ('{wait: {days: 2, at: "10:00"}}', "9h", ["9h match", "1d22h left done"]),  # Mon 21:00 -> Wed 10:00
    ("{wait: {days: 2}}", "9h", ["9h match", "2d9h left done"]),
    ('{wait: {at: "12:00"}}', "0s", ["0s match", "1d left done"]),  # strictly after now
    ('{wait: {at: "12:01"}}', "0s", ["0s match", "1m left done"]),
    ('{wait: {at: "10:00", on: [mon]}}', "0s", ["0s match", "6d22h left done"]),
    ('{wait: {days: 1, at: "10:00", on: [tue, thu]}}', "0s", ["0s match", "22h left done"]),
    ('{wait: {days: 2, at: "10:00", on: [tue, thu]}}', "0s", ["0s match", "2d22h left done"]),
    ("{wait: {until: profile.trial_ends, before: 3d}}", "0s", ["0s match", "4d12h left done"]),
    ("{wait: {until: profile.trial_ends, after: 12h}}", "0s", ["0s match", "8d left done"]),
    ('{wait: {until: profile.trial_ends, before: 3d, at: "10:00"}}', "0s", ["0s match", "4d22h left done"]),
    ("{wait: {until: profile.trial_ends, before: 30d}}\nhello", "0s", ["0s match", "0s hello send", "0s left done"]),
    ("{wait: {until: profile.nothing}}\nhello", "0s", ["0s match", "0s hello send", "0s left done"]),
    ("{wait: {until: profile.far}}\nhello", "0s", ["0s match", "365d left expired"]),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "at", "expected"), WAITS)
def test_waits_count_from_the_end_of_the_step_before(steps: str, at: str, expected: list[str]) -> None:
    profiles = {"u1": {"trial_ends": "2026-11-10", "far": "2028-01-01"}}
    assert story(journey(steps), f"{at} in", profiles=profiles) == sorted(expected)


def test_days_are_the_users_own() -> None:
    text = journey('{wait: {days: 2, at: "10:00"}}')
    shanghai = {"u1": {"timezone": "Asia/Shanghai"}}  # 12:00Z is 20:00 there
    assert story(text, "0s in", profiles=shanghai) == sorted(["0s match", "1d14h left done"])


WENT = ["0s match", "0s hello send"]
PRICE = "{id: seen, wait_for: {event: view, where: price > 100, within: 3d}, otherwise: [{exit: cold}]}"
HAPPENS = [
    # (steps, head, events, decisions)
    ("hello\n" + PRICE + "\ntips", "", ["0s in", "1d view price=50", "2d view price=150"],
     [*WENT, "2d tips send", "2d left done"]),
    ("hello\n" + PRICE + "\ntips", "", ["0s in", "1d view price=50"], [*WENT, "3d left cold"]),
    ("hello\n" + PRICE + "\ntips", "", ["0s in", "3d view price=150"], [*WENT, "3d left cold"]),
    ("hello\n{id: w, wait_for: {event: view, within: 3d}, otherwise: [{wait: 1d}]}\ntips", "", ["0s in"],
     [*WENT, "4d tips send", "4d left done"]),
    ("hello\n{wait: 30d}\ntips", "exit: [{event: buy, where: amount > 10}, {event: refund}]\n",
     ["0s in", "1d buy amount=5", "2d buy amount=50"], [*WENT, "2d left exit"]),
    ("{wait: 1d}\nhello", "exit: {event: buy}\n", ["0s in", "1d buy"], ["0s match", "1d left exit"]),
    ("{id: w, wait_for: {event: buy, within: 3d}}\nhello", "exit: {event: buy}\n", ["0s in", "1d buy"],
     ["0s match", "1d left exit"]),
    ("hello\n{wait: 1d}", "exit: {event: in}\n", ["0s in"], [*WENT, "1d left done"]),
    ("hello\n{wait: 2d}", "exit: {event: in}\n", ["0s in", "1d in"], [*WENT, "1d left exit"]),
    ("hello\n{wait: 10d}", "goal: {event: buy, within: 14d, value: amount}\n", ["0s in", "5d buy amount=49"],
     [*WENT, "5d goal 49", "5d left goal"]),
    ("hello\n{wait: 10d}", "exit: {event: buy}\ngoal: {event: buy, within: 14d, value: amount}\n",
     ["0s in", "5d buy amount=49", "6d buy amount=7"], [*WENT, "5d goal 49", "5d left goal"]),
    ("hello", "goal: {event: buy, within: 14d, value: amount}\n", ["0s in", "13d buy amount=49", "13d buy amount=7"],
     [*WENT, "0s left done", "13d goal 49"]),
    ("hello", "goal: {event: buy, within: 14d}\n", ["0s in", "14d buy"], [*WENT, "0s left done"]),
    ("hello", "goal: {event: buy, where: sku == in_.sku, within: 14d}\n",
     ["0s in sku=7", "1d buy sku=8", "2d buy sku=7"], [*WENT, "0s left done", "2d goal"]),
    ("hello", "audience: {control_group: 100%}\ngoal: {event: buy, within: 14d}\n", ["0s in", "2d in", "3d buy"],
     ["0s control", "3d goal"]),
    ("hello\n{exit: cold, when: in_.sku == 7}\ntips", "", ["0s in sku=7"], [*WENT, "0s left cold"]),
    ("hello\n{exit: cold, when: in_.sku == 7}\ntips", "", ["0s in sku=8"], [*WENT, "0s tips send", "0s left done"]),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "head", "given", "expected"), HAPPENS)
def test_what_happens_to_those_inside(steps: str, head: str, given: list[str], expected: list[str]) -> None:
    assert story(journey(steps, head), *given) == sorted(expected)


AGAIN = [
    # (head, trigger, events, decisions): `in` while inside, or too early, is ignored and leaves no record
    ("", "", ["0s in", "1d in", "9d in", "99d in"], [*WENT, "2d left done"]),
    ("reenter: {after: 7d}\n", "", ["0s in", "8d in", "9d in"],
     [*WENT, "2d left done", "9d match", "9d hello send", "11d left done"]),
    ("reenter: {after: 1h}\n", "", ["0s in", "1d in", "2d1h in"],
     [*WENT, "2d left done", "2d1h match", "2d1h hello send", "4d1h left done"]),
    ("reenter: each\n", "order", ["0s in order=a", "1d in order=b", "1d in order=a", "3d in order=a"],
     [*WENT, "1d match", "1d hello send", "2d left done", "3d match", "3d left done", "3d hello send", "5d left done"]),
    ("", "order", ["0s in order=a", "1d in order=b", "3d in order=b"], [*WENT, "2d left done"]),
]  # fmt: skip


@pytest.mark.parametrize(("head", "per", "given", "expected"), AGAIN)
def test_who_comes_in_again(head: str, per: str, given: list[str], expected: list[str]) -> None:
    trigger = f"{{event: in, as: in_{f', per: {per}' if per else ''}}}"
    assert story(journey("hello\n{wait: 2d}", head, trigger), *given) == sorted(expected)


def test_a_run_of_each_value_hears_what_is_about_its_own_value() -> None:
    text = journey("{wait: 2d}", "reenter: each\nexit: {event: cancel}\n", "{event: in, as: in_, per: order}")
    given = ["0s in order=a", "0s in order=b id=x", "1d cancel order=a", "1d cancel"]
    assert story(text, *given) == sorted(["0s match", "0s match", "1d left exit", "2d left done"])


GATES = [
    # (head, policy, profile, decisions)
    ("audience: {where: profile.level > 2}\n", "", {"level": 1}, ["0s suppress audience"]),
    ("active: {until: 2026-11-01}\n", "", {}, ["0s suppress dates"]),
    ("", "lists: {black: [u1]}\n", {}, ["0s suppress blacklist"]),
    ("active: {until: 2026-11-03}\n", "", {}, [*WENT, "2d tips suppress dates", "2d left done"]),
    ("audience: {where: profile.level > 0}\n", "", {"level": 1}, [*WENT, "2d tips send", "2d left done"]),
    ("limits: {caps: [c]}\n", "caps: {c: {rules: [{max: 1, per: 3d}], on_exceed: drop}}\n", {},
     [*WENT, "2d tips suppress cap:c", "2d left done"]),
    ("limits: {caps: [c]}\n", "caps: {c: {rules: [{max: 1, per: 3d}], on_exceed: {retry_for: 9d}}}\n", {},
     [*WENT, "2d tips hold cap:c", "3d tips send", "3d left done"]),
    ("limits: {caps: [c]}\non_suppress: leave\n", "caps: {c: {rules: [{max: 1, per: 3d}], on_exceed: drop}}\n", {},
     [*WENT, "2d tips suppress cap:c", "2d left exit"]),
    ("limits: {budget: {sends: 1}}\n", "", {}, [*WENT, "2d tips suppress budget", "2d left done"]),
]  # fmt: skip


@pytest.mark.parametrize(("head", "policy", "profile", "expected"), GATES)
def test_entry_and_messages_ask_their_gates(
    head: str, policy: str, profile: dict[str, Any], expected: list[str]
) -> None:
    text = journey("hello\n{wait: 2d}\ntips", head)
    assert story(text, "0s in", profiles={"u1": profile}, policy=POLICY + policy) == sorted(expected)


def test_a_paused_journey_goes_on_and_says_nothing() -> None:
    text = journey("hello\n{wait: 2d}\ntips").replace("state: live", "state: paused")
    assert story(text, "0s in") == sorted(["0s suppress paused"])


NIGHT = POLICY + 'quiet_hours: {from: "22:00", to: "08:00"}\n'
IN_APP = "{id: hello, send: [{channel: in_app, template: t}]}\n{wait: 1d}"


def test_a_held_message_holds_the_journey() -> None:
    expected = ["11h match", "11h hello hold quiet_hours", "20h hello send in_app", "1d20h left done"]
    assert story(journey(IN_APP), "11h in", policy=NIGHT) == sorted(expected)


def test_an_exit_cancels_what_is_held() -> None:
    expected = ["11h match", "11h hello hold quiet_hours", "12h hello suppress cancelled", "12h left exit"]
    assert story(journey(IN_APP, "exit: {event: buy}\n"), "11h in", "12h buy", policy=NIGHT) == sorted(expected)


RECEIPTS = [
    # a step ends with its `sent` receipt, or when nothing more is tried
    (["0s in", "1h hello sent"], ["0s match", "0s hello send", "1d1h tips send", "1d1h left done"]),
    (["0s in", "1h hello delivered"], ["0s match", "0s hello send", "1d1h tips send", "1d1h left done"]),
    (["0s in", "1h hello failed"], ["0s match", "0s hello send", "1d1h last send", "1d1h left done"]),
    (["0s in", "0s hello sent", "23h hello clicked"], ["0s match", "0s hello send", "1d left done"]),
    (["0s in", "0s hello sent", "1d hello clicked"], ["0s match", "0s hello send", "1d tips send", "1d left done"]),
]


@pytest.mark.parametrize(("given", "expected"), RECEIPTS)
def test_receipts_lead_on(given: list[str], expected: list[str]) -> None:
    text = journey(
        "hello\n{wait: 1d}\n{id: tips, when: sent(hello) and not clicked(hello), send: [{channel: webhook}]}\n"
        "{id: last, when: skipped(hello), send: [{channel: webhook}]}"
    )
    assert story(text, *given) == sorted(expected)


def test_a_fallback_is_tried_before_the_journey_goes_on() -> None:
    text = journey("{id: hello, send: [{channel: push, template: t}, {channel: webhook}]}\n{wait: 1d}")
    expected = ["0s match", "0s hello send push", "1h hello send #2", "1d1h left done"]
    assert story(text, "0s in", "1h hello failed channel=push") == sorted(expected)


def test_the_first_true_branch_is_taken_and_all_join_behind_it() -> None:
    text = journey(
        "{choose: [{when: in_.n > 5, steps: [{id: hello, send: [{channel: webhook}]}, {wait: 1d}]},"
        " {when: in_.n > 3, steps: [{id: tips, send: [{channel: webhook}]}]}]}\nlast"
    )
    assert story(text, "0s in n=6") == sorted(["0s match", "0s hello send", "1d last send", "1d left done"])
    assert story(text, "0s in n=4") == sorted(["0s match", "0s tips send", "0s last send", "0s left done"])
    assert story(text, "0s in n=1") == sorted(["0s match", "0s last send", "0s left done"])


def test_a_split_is_sticky_and_deals_by_the_hash_of_its_id() -> None:
    text = journey(
        "{id: texts, split: [{name: a, weight: 1, steps: [{id: hello, send: [{channel: webhook}]}]},"
        " {name: b, weight: 3, steps: [{id: tips, send: [{channel: webhook}]}]}]}",
        "reenter: {after: 1d}\n",
    )
    users = [f"u{n}" for n in range(200)]
    given = events(*(f"{day}d in user={user}" for day in (0, 2) for user in users))
    sent = [(r.user_id, r.activity) for r in run(rules(text), given) if r.outcome == "send"]
    expected = {user: "j.hello" if share_of(user, "j/texts") * 4 < 1 else "j.tips" for user in users}
    assert sorted(sent) == sorted([*expected.items(), *expected.items()])
    assert 20 < sum(name == "j.hello" for name in expected.values()) < 80


def test_conditions_see_the_trigger_waits_metrics_profiles_and_crowds() -> None:
    text = journey(
        "{id: seen, wait_for: {event: view, within: 3d}}\n"
        "{id: hello, when: seen.price > in_.price and metric.bought == 1, data: {price: seen.price, sku: sku},"
        " send: [{channel: webhook}]}\n"
        '{id: tips, when: profile.level > 1 and in_crowd("vip"), send: [{channel: webhook}]}',
        "data: {from: in_.price}\n",
    )
    files = {"metrics": "bought: {count: buy}\n", "crowds": "vip: {members: redis}\n"}
    given = events("0s in price=5", "1d buy", "1d view price=9 sku=7")
    records = run(rules(text, **files), given, {"u1": {"level": 2, "crowds": ["vip"]}})
    assert sorted(map(told, records)) == ["0s match", "1d hello send", "1d left done", "1d tips send"]
    assert records[1].data == {"from": 5, "price": 9, "sku": 7}
    assert records[1].steps == {"in_": ["e1"], "seen": ["e3"]}
    assert len({record.occurrence for record in records}) == 1


def test_its_messages_and_its_goal_are_events_to_others() -> None:
    text = journey("hello", "goal: {event: buy, within: 1d}\n")
    follow = "activity: follow\ntrigger: {pattern: [{sent: j.hello}, {goal: j}], within: 1d}\n"
    given = events("0s in", "1h buy")
    assert decisions(rules(text, follow), given)[-2:] == ["1h follow match", "1h j goal"]


def test_a_journey_waits_for_its_own_messages_of_this_run() -> None:
    text = journey("hello\n{id: w, wait_for: {clicked: hello, within: 2d}, otherwise: [{exit: cold}]}")
    assert story(text, "0s in", "0s hello sent", "1d hello clicked") == sorted([*WENT, "1d left done"])
    assert story(text, "0s in", "0s hello sent") == sorted([*WENT, "2d left cold"])
