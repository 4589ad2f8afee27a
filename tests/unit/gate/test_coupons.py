"""Coupons: one code a message, of a pool that all activities share; what comes back, and who gets none."""

from __future__ import annotations

import pytest

from kairos.engine.coupon.pools import Claim, Pools, Return
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from tests.engine_kit import decisions, event, events, receipt, rules, run

GIFT = """
activity: gift
trigger: {event: ask}
data: {code: 'coupon("spring")'}
send: [{channel: sms, template: code}]
"""
TEXT = {"code.sms": "Your code: {{ code }}"}


def shop(*activities: str, codes: str = "redis", per_user: int | None = None) -> RuleSet:
    limit = f", per_user: {per_user}" if per_user else ""
    return rules(*activities or (GIFT,), coupons=f"spring: {{codes: {codes}{limit}}}", templates=TEXT)


def few(*codes: str, activity: str = GIFT) -> RuleSet:
    folder = {
        "activities/a/gift.yaml": activity.encode(),
        "templates/code.sms.liquid": TEXT["code.sms"].encode(),
        "coupons.yaml": b"spring: {codes: c/spring.txt}",
        "c/spring.txt": "\n".join(codes).encode(),
    }
    loaded = load(folder)
    assert loaded.rules is not None, loaded.findings
    return loaded.rules


def codes(rule_set: RuleSet, *given: str) -> list[tuple[str, str | None]]:
    found = [receipt(text) if " gift " in text else event(text, place) for place, text in enumerate(given, 1)]
    return [(r.outcome if r.reason is None else r.reason, r.data["code"]) for r in run(rule_set, found)]


def test_each_message_has_a_code_of_its_own_in_the_order_of_decision_until_none_is_left() -> None:
    given = ("2s ask user=u1", "1s ask user=u2", "3s ask user=u3")
    assert codes(few("A", "B"), *given) == [("send", "A"), ("send", "B"), ("budget", None)]


def test_a_pool_elsewhere_is_played_with_made_up_codes() -> None:
    assert codes(shop(), "1s ask", "2s ask") == [("send", "spring-1"), ("send", "spring-2")]


def test_no_user_gets_more_than_per_user_over_all_activities() -> None:
    other = GIFT.replace("gift", "more").replace("event: ask", "event: beg")
    records = run(shop(GIFT, other, per_user=2), events("1s ask", "2s beg", "3s ask", "3s beg user=u2"))
    assert [(r.activity, r.user_id, r.reason) for r in records] == [
        ("gift", "u1", None), ("more", "u1", None), ("gift", "u1", "budget"), ("more", "u2", None),
    ]  # fmt: skip


def test_a_code_comes_back_when_nothing_went_and_only_then() -> None:
    assert codes(few("A"), "1s ask", "2s gift failed", "3s ask user=u2") == [("send", "A"), ("send", "A")]
    assert codes(few("A"), "1s ask", "2s gift sent", "2s gift failed", "3s ask user=u2") == [
        ("send", "A"), ("budget", None),
    ]  # fmt: skip


def test_a_fallback_carries_the_same_code() -> None:
    activity = GIFT.replace("template: code}]", "template: code}, {channel: webhook, after: 5m}]")
    assert codes(few("A", "B", activity=activity), "1s ask", "2s gift failed") == [("send", "A"), ("send", "A")]


def test_who_is_refused_has_used_up_nothing() -> None:
    activity = GIFT + "limits: {once: ever, budget: {sends: 1}}\n"
    given = ("1s ask", "2s ask user=u2", "3s gift failed", "4s ask user=u2", "5s ask user=u3")
    assert codes(few("A", activity=activity), *given) == [
        ("send", "A"), ("budget", None), ("send", "A"), ("budget", None),
    ]  # fmt: skip


def test_a_journeys_messages_share_the_code_of_their_run() -> None:
    journey = """
journey: gift
trigger: {event: ask}
reenter: {after: 1s}
data: {code: 'coupon("spring")'}
steps:
  - {id: first, send: [{channel: sms, template: code}]}
  - {wait: 1h}
  - {id: again, send: [{channel: sms, template: code}]}
"""
    records = [r for r in run(shop(journey), events("1s ask", "2s ask user=u2", "1d ask")) if r.outcome == "send"]
    assert [(r.activity, r.user_id, r.data["code"]) for r in records] == [
        ("gift.first", "u1", "spring-1"), ("gift.first", "u2", "spring-2"), ("gift.again", "u1", "spring-1"),
        ("gift.again", "u2", "spring-2"), ("gift.first", "u1", "spring-3"), ("gift.again", "u1", "spring-3"),
    ]  # fmt: skip


def test_control_and_suppressed_take_no_code() -> None:
    activity = GIFT + "audience: {control_group: 100%}\n"
    assert codes(few("A", activity=activity), "1s ask") == [("control", None)]
    assert decisions(few("A", activity=GIFT + "audience: {where: profile.x == 1}\n"), events("1s ask")) == [
        "1s gift suppress audience"
    ]


@pytest.mark.parametrize("back", [1, 2])
def test_the_same_key_has_the_same_answer_however_often_it_asks(back: int) -> None:
    pools, claim = Pools({"p": ["A"]}), Claim("code", "p", "k1", "h", "u1", 1)
    other = Claim("code", "p", "k2", "h", "u2", 1)
    assert [pools.take(claim), pools.take(claim), pools.take(other)] == ["A", "A", None]
    for _ in range(back):
        pools.give_back(Return("p", "k1", "h", "u1"))
    assert [pools.take(other), pools.take(Claim("code", "p", "k3", "h", "u1", 1))] == [None, "A"]
