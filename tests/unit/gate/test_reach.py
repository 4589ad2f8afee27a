"""On which channel a user can be reached."""

from __future__ import annotations

import pytest

from tests.engine_kit import Profiles, decisions, events, rules
from tests.unit.gate.gate_rules import ORDER

REACH = [
    ("sms", {"phone": "1"}, True),
    ("sms", {"phone": 13800000000}, True),
    ("sms", {"phone": ""}, False),
    ("sms", {"phone": None}, False),
    ("sms", {"email": "a@b"}, False),
    ("sms", {"phone": "1", "unsubscribed": ["sms"]}, False),
    ("sms", {"phone": "1", "unsubscribed": ["email"]}, True),
    ("sms", {"phone": "1", "dead_addresses": ["1"]}, False),
    ("sms", {"phone": 1, "dead_addresses": [1]}, False),
    ("sms", {"phone": "1", "dead_addresses": ["2"]}, True),
    ("sms", {"phone": "1", "dead_addresses": "1"}, True),
    ("in_app", {"dead_addresses": ["in_app", ""]}, True),
    ("email", {"email": "a@b"}, True),
    ("wechat", {"wechat_openid": "w"}, True),
    ("push", {"push_token": "p"}, True),
    ("push", {}, False),
    ("in_app", {}, True),
    ("in_app", {"unsubscribed": ["in_app"]}, False),
]


@pytest.mark.parametrize(("channel", "profile", "reached"), REACH)
def test_reach(channel: str, profile: dict[str, object], reached: bool) -> None:
    told = decisions(rules(ORDER.replace("sms", channel)), events("0s order"), {"u1": profile})
    assert told == [f"0s a send {channel}" if reached else "0s a suppress unreachable"]


def test_a_dead_address_leaves_the_others() -> None:
    text = ORDER.replace("send: [", "send: [{channel: email, template: t}, ")
    profiles: Profiles = {"u1": {"phone": "1", "email": "a@b", "dead_addresses": ["a@b"]}}
    assert decisions(rules(text), events("0s order"), profiles) == ["0s a send sms"]


@pytest.mark.parametrize("channel", ["webhook", "console", "file", "in_app"])
def test_channels_without_an_address_reach_those_whom_nobody_knows(channel: str) -> None:
    template = "" if channel != "in_app" else ", template: t"
    rule_set = rules(f"activity: a\ntrigger: {{event: order}}\nsend: [{{channel: {channel}{template}}}]\n")
    assert decisions(rule_set, events("0s order"), {}) == [f"0s a send {channel}"]


def test_no_profile_no_address() -> None:
    assert decisions(rules(ORDER), events("0s order"), {}) == ["0s a suppress unreachable"]
    assert decisions(rules(ORDER), events("0s order"), None) == ["0s a send sms"]


def test_the_first_entry_on_which_the_user_can_be_reached_is_the_channel() -> None:
    text = ORDER.replace("send: [", "send: [{channel: wechat, template: t}, ")
    assert decisions(rules(text), events("0s order"), {"u1": {"phone": "1"}}) == ["0s a send sms"]
