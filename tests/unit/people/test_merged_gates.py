"""A person whom two ids meant: control group, `once`, caps and black list hold as if she had had one all along."""

from __future__ import annotations

from typing import Any

from kairos.engine.decision import share_of
from kairos.engine.profile.merged import Merged, Sent, merged_in, plain
from tests.engine_kit import BASE, DAY, HOUR, decisions, event, rules

NUDGE = """activity: nudge
state: live
trigger: {event: open}
audience: {%s}
limits: {once: %s, caps: [few]}
send: [{channel: in_app, template: t}]
"""
POLICY = """caps: {few: {rules: [{max: 1, per: 1d}]}}
lists: {black: [old], white: [new]}
"""
NOBODY = "caps: {few: {rules: [{max: 1, per: 1d}]}}"


def told(profile: dict[str, Any], *, once: str = "occurrence", audience: str = "", policy: str = NOBODY) -> list[str]:
    return decisions(rules(NUDGE % (audience, once), policy=policy), [event("0s open user=new")], {"new": profile})


def merged(**fields: Any) -> dict[str, Any]:
    return {"merged": plain(Merged(**fields))}


def test_what_is_written_is_what_is_read() -> None:
    both = Merged(("old", "older"), {"nudge": 5}, (Sent(5, "o1", "sms", ("few",)),))
    assert merged_in({"merged": plain(both)}) == both
    for odd in (None, {}, {"merged": None}, {"merged": []}, {"merged": {"from": None, "once": 3, "sends": [[1]]}}):
        assert merged_in(odd) == Merged()


def test_without_a_past_under_another_id_nothing_changes() -> None:
    assert told({}) == ["0s nudge send in_app"]


def test_a_send_under_the_other_id_counts_for_once() -> None:
    assert told(merged(once={"nudge": BASE - HOUR}), once="2h") == ["0s nudge suppress once"]
    assert told(merged(once={"nudge": BASE - 2 * HOUR}), once="2h") == ["0s nudge send in_app"]
    assert told(merged(once={"nudge": BASE - 300 * DAY}), once="ever") == ["0s nudge suppress once"]
    assert told(merged(once={"other": BASE - HOUR}), once="ever") == ["0s nudge send in_app"]


def test_a_send_under_the_other_id_counts_for_caps() -> None:
    assert told(merged(sends=(Sent(BASE - HOUR, "o1", "sms", ("few",)),))) == ["0s nudge suppress cap:few"]
    assert told(merged(sends=(Sent(BASE - HOUR, "o1", "sms", ("many",)),))) == ["0s nudge send in_app"]
    assert told(merged(sends=(Sent(BASE - DAY, "o1", "sms", ("few",)),))) == ["0s nudge send in_app"]


def test_who_was_in_the_control_group_under_either_id_is_in_it() -> None:
    users = [f"u{n}" for n in range(40)]
    control = next(user for user in users if share_of(user, "nudge") < 0.5)
    treated = next(user for user in users if share_of(user, "nudge") >= 0.5)
    assert share_of("new", "nudge") >= 0.5
    half = "control_group: 50%"
    assert told(merged(ids=(control,)), audience=half) == ["0s nudge control"]
    assert told(merged(ids=(treated,)), audience=half) == ["0s nudge send in_app"]


def test_who_was_black_listed_under_either_id_is_and_white_only_who_was_under_both() -> None:
    full = (Sent(BASE - HOUR, "o1", "sms", ("few",)),)
    assert told(merged(ids=("old",)), policy=POLICY) == ["0s nudge suppress blacklist"]
    assert told(merged(ids=("older",), sends=full), policy=POLICY) == ["0s nudge suppress cap:few"]
    assert told(merged(sends=full), policy=POLICY) == ["0s nudge send in_app"]
