"""What a profile allows fails closed: a value that cannot be read is a no, in whatever way it was written."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.channel import CHANNELS
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.engine import Engine
from kairos.engine.profile.consent import has_opted_out, is_listed, unreadable
from kairos.engine.rule.release import activity_version
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, DAY, Profiles, decisions, engine_of, event, events, rules

ORDER = "activity: a\ntrigger: {event: order}\nsend: [{channel: sms, template: t}, {channel: in_app, template: t}]\n"
OUT_OF_SMS: list[Any] = ["sms", "SMS", ["SMS"], [" sms "], ["sms"], "email, sms", "email;sms", ["email", "Sms"]]
OUT_OF_ALL: list[Any] = [True, "true", "all", ["all"], ["ALL"], "everything", ["newsletter"], ["sms", "telegram"], 1, 0,
                         {"sms": True}, {}, [1], [["sms"]], [None], '["sms"', "['sms']", "yes"]  # fmt: skip
OUT_OF_NONE: list[Any] = [None, [], "", " ", False, ["email"], "email"]


def decided(engine: Engine, order: str) -> list[Effect]:
    state = UserState()
    return [*engine.on_event("u1", state, event(order), 0), *engine.on_time("u1", state, BASE + DAY)]


@pytest.mark.parametrize("value", OUT_OF_SMS)
def test_a_channel_however_it_is_written(value: Any) -> None:
    assert has_opted_out({"unsubscribed": value}, "sms")
    assert not has_opted_out({"unsubscribed": value}, "push")


@pytest.mark.parametrize("value", OUT_OF_ALL)
def test_all_of_them_or_nobody_knows_which(value: Any) -> None:
    assert all(has_opted_out({"unsubscribed": value}, channel) for channel in CHANNELS)


@pytest.mark.parametrize("value", OUT_OF_NONE)
def test_no_channel_of_these(value: Any) -> None:
    assert not has_opted_out({"unsubscribed": value}, "sms")
    assert not has_opted_out({}, "sms")
    assert not has_opted_out(None, "sms")


@pytest.mark.parametrize(
    ("value", "black", "white"),
    [
        (["black"], True, False), ("black", True, False), ("BLACK", True, False), (["White"], False, True),
        ("black,white", True, True), ([], False, False), (None, False, False),
        (True, True, False), (1, True, False), (["vip"], True, False), (["white", 1], True, False), ({}, True, False),
    ],
)  # fmt: skip
def test_lists(value: Any, black: bool, white: bool) -> None:
    profile = {"lists": value}
    assert (is_listed(profile, "black"), is_listed(profile, "white")) == (black, white)


def test_what_cannot_be_read_is_named() -> None:
    assert unreadable({"unsubscribed": "perhaps", "lists": ["black"]}) == ["unsubscribed"]
    assert unreadable({"unsubscribed": "SMS", "lists": 3}) == ["lists"]
    assert unreadable({}) == []


@pytest.mark.parametrize("value", [True, "perhaps", ["Telegram"]])
def test_nothing_leaves_where_it_is_a_no_and_it_is_counted(value: Any) -> None:
    engine = engine_of(rules(ORDER), {"u1": {"phone": "1", "unsubscribed": value}})
    (record,) = decided(engine, "0s order")
    assert isinstance(record, Record)
    assert (record.outcome, record.reason) == ("suppress", "unreachable")
    assert engine.counters["unreadable_unsubscribed"] == (value is not True)


def test_lists_that_cannot_be_read_are_the_black_one() -> None:
    profiles: Profiles = {"u1": {"phone": "1", "lists": {"black": True}}, "u2": {"phone": "1", "lists": "white"}}
    for policy in ("lists: {black: redis, white: redis}\n", "lists: {black: [u9]}\n", ""):
        told = decisions(rules(ORDER, policy=policy), events("0s order", "1s order user=u2"), profiles)
        assert told == ["0s a suppress blacklist", "1s a send sms"]


@pytest.mark.parametrize("zone", ["Europe/Munich", "GMT+8", "../../etc/passwd", 8, ["Asia/Shanghai"], "x" * 5_000])
def test_a_zone_that_is_none_is_counted_and_the_send_is_marked(zone: Any) -> None:
    rule_set = rules(ORDER, policy="quiet_hours: {from: '22:00', to: '08:00'}\n")
    engine = engine_of(rule_set, {"u1": {"phone": "1", "timezone": zone}})
    held, sent = decided(engine, "11h order")
    assert isinstance(held, Record)
    assert held.outcome == "hold"
    assert isinstance(sent, Candidate)
    assert sent.record.degraded is True
    assert engine.counters["unreadable_timezone"] >= 2


def test_a_zone_that_is_one_marks_nothing() -> None:
    engine = engine_of(rules(ORDER), {"u1": {"phone": "1", "timezone": "Europe/Berlin"}})
    (sent,) = decided(engine, "0s order")
    assert isinstance(sent, Candidate)
    assert (sent.record.degraded is True, engine.counters["unreadable_timezone"]) == (False, 0)


SERVICE = ORDER + "class: service\n"


@pytest.mark.parametrize("value", [["sms", "in_app"], True, "perhaps"])
def test_a_service_message_reaches_who_wants_no_marketing(value: Any) -> None:
    profiles = {"u1": {"phone": "1", "unsubscribed": value}}
    assert decisions(rules(ORDER), events("0s order"), profiles) == ["0s a suppress unreachable"]
    assert decisions(rules(SERVICE), events("0s order"), profiles) == ["0s a send sms"]


def test_but_nobody_on_the_black_list_and_no_dead_address() -> None:
    rule_set = rules(SERVICE, policy="lists: {black: redis}\n")
    profiles = {"u1": {"phone": "1", "lists": ["black"]}, "u2": {"phone": "1", "dead_addresses": ["1"]}}
    told = decisions(rule_set, events("0s order", "1s order user=u2"), profiles)
    assert told == ["0s a suppress blacklist", "1s a send in_app"]


def test_a_field_that_came_later_and_is_not_said_changes_no_version() -> None:
    """Else a running job would meet every activity as a new one."""
    plain, service = rules(ORDER).activities["a"], rules(SERVICE).activities["a"]
    assert activity_version(plain) == activity_version(rules(ORDER + "class: marketing\n").activities["a"])
    assert activity_version(plain) != activity_version(service)
    assert activity_version(plain) == "4b0087eb8d3e5342"  # as the first version of all told it
