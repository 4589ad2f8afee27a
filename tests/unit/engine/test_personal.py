"""Addresses in decision records, and in what is logged."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.engine.effect import Candidate
from kairos.engine.profile.personal import mask
from kairos.engine.user.state import UserState
from tests.engine_kit import engine_of, event, events, rules, run

ADA = {"phone": "+447700900123", "email": "ada@example.com", "name": "Ada Miles", "level": 3}


def decided(data: str, given: str = "0s order", profile: dict[str, Any] = ADA) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of a send: the record's data, and the values of its message."""
    text = f"activity: a\ntrigger: {{event: order}}\ndata: {data}\nsend: [{{channel: sms, template: t}}]\n"
    engine = engine_of(rules(text), {"u1": profile})
    one = event(given)
    (candidate,) = engine.on_event("u1", UserState(), one, one.time)
    assert isinstance(candidate, Candidate)
    return candidate.record.data, candidate.delivery.values


@pytest.mark.parametrize(
    ("expression", "shown", "sent"),
    [
        ("profile.phone", "***23", "+447700900123"),
        ("lower(profile.email)", "***om", "ada@example.com"),
        ("exists(profile.phone)", True, True),
        ("len(profile.phone)", "***", 13),
        ("contact", "***23", "+447700900123"),
        ("contacts", ["***ne", "***23"], ["someone", "+447700900123"]),
        ("other", "+447700900999", "+447700900999"),
        ("profile.name", "Ada Miles", "Ada Miles"),
        ("profile.level", 3, 3),
        ("profile.push_token", None, None),
    ],
)
def test_the_record_has_it_masked_and_the_message_whole(expression: str, shown: Any, sent: Any) -> None:
    given = '0s order contact=+447700900123 other=+447700900999 contacts=["someone","+447700900123"]'
    data, values = decided(f"{{x: '{expression}'}}", given)
    assert (data, values) == ({"x": shown}, {"x": sent})


def test_an_entry_s_own_data_too() -> None:
    send = "send: [{channel: sms, template: t, data: {y: profile.phone}}]\n"
    (record,) = run(rules("activity: a\ntrigger: {event: order}\n" + send), events("0s order"), {"u1": ADA})
    assert record.data == {"y": "***23"}


def test_every_record_is_without_them() -> None:
    text = "activity: a\ntrigger: {event: order}\ndata: {x: profile.phone}\n"
    for more in ("", "audience: {where: profile.level > 3}\n", "audience: {control_group: 100%}\n"):
        (record,) = run(rules(text + more), events("0s order"), {"u1": ADA})
        assert record.data == {"x": "***23"}


def test_a_short_number_is_not_taken_for_an_address() -> None:
    assert decided("{x: n}", "0s order n=12345", {"phone": "12345"})[0] == {"x": 12345}
    assert decided("{x: n}", "0s order n=123456", {"phone": "123456"})[0] == {"x": "***56"}


def test_masks() -> None:
    assert mask({"a": ["+447700900123", 5, None, 1.5]}) == {"a": ["***23", "***", None, 1.5]}
