"""Receipts and fallback: what each receipt does to reservations and to the next entry."""

from __future__ import annotations

import pytest

from tests.engine_kit import Profiles, decisions, event, events, receipt, rules, run, tell
from tests.unit.engine.live_job import CAP, TRIGGER, played, two

THREE = TRIGGER + (
    "send: [{channel: wechat, template: t}, {channel: sms, template: t, after: 5m}, {channel: email, template: t}]\n"
)


FALLBACK = [
    # (second entry, receipts, what is sent after the first)
    ("after: 5m", [], []),
    ("after: 5m", ["1m a sent"], ["6m a send sms #2"]),
    ("after: 5m", ["1m a sent", "5m59s a delivered"], []),
    ("after: 5m", ["1m a sent", "6m1s a delivered"], ["6m a send sms #2"]),
    ("after: 5m", ["1m a sent", "2m a read"], []),
    ("after: 5m", ["1m a failed"], ["1m a send sms #2"]),
    ("after: 5m", ["1m a sent", "2m a failed"], ["2m a send sms #2"]),
    ("after: 5m", ["1m a expired"], ["1m a send sms #2"]),
    ("after: 5m", ["1m a delivered"], []),
    ("after: 5m, unless: read", [], ["5m a send sms #2"]),
    ("after: 5m, unless: read", ["1m a sent", "2m a delivered"], ["6m a send sms #2"]),
    ("after: 5m, unless: read", ["1m a delivered"], ["6m a send sms #2"]),
    ("after: 5m, unless: read", ["1m a sent", "2m a clicked"], []),
    ("after: 5m, unless: clicked", ["1m a sent", "2m a read"], ["6m a send sms #2"]),
    ("after: 5m, unless: clicked", ["1m a sent", "2m a clicked"], []),
    ("data: {}", [], []),
    ("data: {}", ["1m a sent"], []),
    ("data: {}", ["1m a failed"], ["1m a send sms #2"]),
]


@pytest.mark.parametrize(("second", "receipts", "told"), FALLBACK)
def test_fallback(second: str, receipts: list[str], told: list[str]) -> None:
    given = [event("0s order"), *map(receipt, receipts)]
    assert decisions(rules(two(second)), given) == ["0s a send wechat", *told]


def test_each_further_attempt_follows_the_one_before() -> None:
    given = [event("0s order"), *map(receipt, ["1m a sent", "6m1s a failed channel=sms", "7m a failed channel=email"])]
    assert decisions(rules(THREE), given) == ["0s a send wechat", "6m a send sms #2", "6m1s a send email #3"]


def test_what_has_no_after_is_for_failure_only_even_if_the_timed_entry_drops_out() -> None:
    given = [event("0s order"), receipt("1m a sent")]
    profiles: Profiles = {"u1": {"wechat_openid": "w", "email": "e"}}
    assert decisions(rules(THREE), given, profiles) == ["0s a send wechat", "6m a suppress unreachable #2"]


def test_an_entry_that_stands_in_for_one_that_dropped_out_waits_for_its_own_after() -> None:
    text = THREE.replace("{channel: email, template: t}", "{channel: email, template: t, after: 1h}")
    given = [event("0s order"), receipt("1m a sent")]
    profiles: Profiles = {"u1": {"wechat_openid": "w", "email": "e"}}
    assert decisions(rules(text), given, profiles) == ["0s a send wechat", "1h1m a send email #2"]


def test_a_receipt_is_of_the_occurrence_that_it_names() -> None:
    sends = [r for r in played(two(), events("0s order", "10s order")) if r.outcome == "send"]
    given = [*events("0s order", "10s order"), receipt(f"1m a failed occurrence={sends[0].occurrence}")]
    fallback = played(two(), given)[-1]
    assert (tell(fallback), fallback.occurrence) == ("1m a send sms #2", sends[0].occurrence)


def test_without_an_occurrence_it_is_of_the_latest_send_before_it() -> None:
    given = [*events("0s order", "10s order", "2m order"), receipt("1m a failed")]
    records = played(two(), given)
    assert [tell(r) for r in records] == [
        "0s a send wechat", "10s a send wechat", "1m a send sms #2", "2m a send wechat",
    ]  # fmt: skip
    assert records[2].occurrence == records[1].occurrence


@pytest.mark.parametrize("text", ["1m b failed", "1m a failed occurrence=x", "-1m a failed", "1m a nonsense", "1m a 7"])
def test_a_receipt_that_fits_nothing_changes_nothing(text: str) -> None:
    assert decisions(rules(two()), [event("0s order"), receipt(text)]) == ["0s a send wechat"]


def test_before_the_fallback_all_is_asked_again_but_once() -> None:
    text = two().replace(
        "send:", "audience: {where: metric.cancels == 0}\nlimits: {once: ever, budget: {sends: 1}}\nsend:"
    )
    rule_set = rules(text, metrics="cancels: {count: cancel}\n")
    assert decisions(rule_set, [event("0s order"), receipt("1m a failed")])[1:] == ["1m a send sms #2"]
    given = [event("0s order"), event("30s cancel", 2), receipt("1m a failed")]
    assert decisions(rule_set, given)[1:] == ["1m a suppress audience #2"]


def test_a_fallback_may_be_held() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    given = [event("0s order"), receipt("1m a sent")]
    assert decisions(rules(two(), policy=policy), given) == [
        "0s a send wechat", "6m a hold quiet_hours #2", "1h a send sms #2",
    ]  # fmt: skip
    given = [event("0s order"), receipt("1m a sent"), receipt("30m a delivered")]
    assert decisions(rules(two(), policy=policy), given)[-1] == "30m a suppress cancelled #2"


def test_a_fallback_later_than_send_before_is_expired() -> None:
    text = two().replace("send:", "limits: {send_before: 5m}\nsend:")
    assert decisions(rules(text), [event("0s order"), receipt("1m a sent")])[1:] == ["6m a suppress expired #2"]


def test_the_final_absence_stays_armed_until_the_fallback() -> None:
    text = two().replace("{event: order}", "{pattern: [{event: order}, {absent: pay}], within: 1m}")
    given = [*events("0s order", "3m pay"), receipt("2m a sent"), receipt("4m a failed")]
    records = run(rules(text), given)
    assert [tell(record) for record in records] == ["1m a send wechat", "3m a suppress cancelled #2"]
    assert records[1].cause == "absence"


@pytest.mark.parametrize(
    ("receipts", "second"),
    [
        (["1m a failed"], "5m b send sms"),
        (["1m a sent", "2m a failed"], "5m b hold cap:m"),
        (["1m a sent"], "5m b hold cap:m"),
        (["1m a unknown", "2m a failed"], "5m b hold cap:m"),
    ],
)
def test_caps_are_released_only_if_no_attempt_was_ever_sent(receipts: list[str], second: str) -> None:
    one = TRIGGER + "send: [{channel: sms, template: t}]\n"
    other = one.replace("activity: a", "activity: b").replace("order", "pay")
    given = [*events("0s order", "5m pay"), *map(receipt, receipts)]
    assert decisions(rules(one, other, policy=CAP), given)[1] == second


def test_a_released_slot_lets_the_held_one_go() -> None:
    one = TRIGGER + "send: [{channel: sms, template: t}]\n"
    other = one.replace("activity: a", "activity: b").replace("order", "pay")
    given = [*events("0s order", "5m pay"), receipt("30m a failed")]
    assert decisions(rules(one, other, policy=CAP), given)[1:] == ["5m b hold cap:m", "30m b send sms"]


def test_one_slot_an_occurrence_whatever_its_channels() -> None:
    policy = "default_caps: [m]\ncaps: {m: {rules: [{max: 2, per: 1d}]}}\n"
    given = [*events("0s order", "2m order", "3m order"), receipt("1m a sent"), receipt("1m30s a failed")]
    assert decisions(rules(two(), policy=policy), given) == [
        "0s a send wechat", "1m30s a send sms #2", "2m a send wechat", "3m a suppress cap:m",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "told"), [("10m30s", "suppress cap:m"), ("14m59s", "suppress cap:m"), ("15m", "send sms")]
)
def test_a_slot_is_taken_as_long_as_any_of_its_attempts_lies_in_the_window(at: str, told: str) -> None:
    policy = "default_caps: [m]\ncaps: {m: {rules: [{max: 1, per: 10m}]}}\n"
    other = "activity: b\ntrigger: {event: pay}\nsend: [{channel: sms, template: t}]\n"
    given = [*events("0s order", f"{at} pay"), receipt("5m a failed")]
    assert decisions(rules(two(), other, policy=policy), given)[1:] == ["5m a send sms #2", f"{at} b {told}"]
