"""Receipts and fallback: what each receipt does to reservations and to the next entry."""

from __future__ import annotations

import pytest

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.user_state import UserState
from tests.engine_kit import BASE, MINUTE, Profiles, decisions, engine_of, event, events, ms, receipt, rules, run, tell

TRIGGER = "activity: a\ntrigger: {event: order}\n"
THREE = TRIGGER + (
    "send: [{channel: wechat, template: t}, {channel: sms, template: t, after: 5m}, {channel: email, template: t}]\n"
)


def two(more: str = "after: 5m") -> str:
    return f"{TRIGGER}send: [{{channel: wechat, template: t}}, {{channel: sms, template: t, {more}}}]\n"


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
    sends = [r for r in _records(two(), events("0s order", "10s order")) if r.outcome == "send"]
    given = [*events("0s order", "10s order"), receipt(f"1m a failed occurrence={sends[0].occurrence}")]
    fallback = _records(two(), given)[-1]
    assert (tell(fallback), fallback.occurrence) == ("1m a send sms #2", sends[0].occurrence)


def test_without_an_occurrence_it_is_of_the_latest_send_before_it() -> None:
    given = [*events("0s order", "10s order", "2m order"), receipt("1m a failed")]
    records = _records(two(), given)
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
    assert decisions(rules(text), given) == ["1m a send wechat"]


# ------------------------------------------------------------------------------------------------ caps and budgets


CAP = "default_caps: [m]\ncaps: {m: {rules: [{max: 1, per: 1d}], on_exceed: {retry_for: 2h}}}\n"


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


# -------------------------------------------------------------------------------------------- as the job has them


class Job:
    """One user of a job with delivery workers, its watermark moved by hand."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.state = engine, UserState()

    def take(self, given: list[Event], until: str) -> list[Effect]:
        effects: list[Effect] = []
        for one in given:
            effects += self.engine.on_event("u1", self.state, one, 0)
        return effects + self.engine.on_time("u1", self.state, BASE + ms(until))


def _told(effects: list[Effect]) -> list[str]:
    records = [e.record if isinstance(e, Candidate) else e for e in effects]
    return [tell(r) if isinstance(r, Record) else type(r).__name__ for r in records]


def _records(text: str, given: list[Event]) -> list[Record]:
    return run(rules(text), given)


def test_receipts_go_in_the_order_of_event_time_whenever_they_arrive() -> None:
    job = Job(engine_of(rules(two())))
    given = [receipt("1m a failed"), event("0s order")]
    assert _told(job.take(given, "10m")) == ["0s a send wechat", "1m a send sms #2"]


def test_a_receipt_of_nothing_leaves_nothing_behind() -> None:
    job = Job(engine_of(rules(two())))
    assert job.take([receipt("1m a failed")], "1m") == []
    assert job.state.empty
    assert job.engine.counters["receipt_without_send"] == 1


def test_a_receipt_from_before_what_was_applied_acts_at_once() -> None:
    job = Job(engine_of(rules(two())))
    job.take([event("0s order"), event("10m order", 2)], "10m")
    assert _told(job.take([receipt("1m a failed")], "10m")) == ["10m a send sms #2"]


def test_what_is_said_again_after_a_failure_changes_nothing() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    job = Job(engine_of(rules(two("data: {}"), policy=policy)))
    job.take([event("0s order"), receipt("1m a sent")], "1m")
    assert _told(job.take([receipt("6m a failed")], "6m")) == ["6m a hold quiet_hours #2"]
    again = [receipt("1m a sent"), receipt("6m a failed"), receipt("7m a unknown")]
    assert _told(job.take(again, "2h")) == ["1h a send sms #2"]


def test_what_was_delivered_after_all_needs_no_fallback() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    job = Job(engine_of(rules(two(), policy=policy)))
    job.take([event("0s order"), receipt("6m a failed")], "6m")
    assert _told(job.take([receipt("7m a delivered")], "2h")) == ["7m a suppress cancelled #2"]


def test_a_delivery_cut_by_quiet_hours_is_asked_about_again() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    job = Job(engine_of(rules(two(), policy=policy)))
    job.take([event("0s order")], "0s")
    released = receipt("6m a released reason=quiet_hours attempt=1")
    assert _told(job.take([released], "2h")) == ["6m a hold quiet_hours #2", "1h a send wechat #2"]
    assert _told(job.take([released], "3h")) == []


def test_a_refused_budget_gives_everything_back() -> None:
    text = TRIGGER + "limits: {once: ever, budget: {sends: 1}, caps: [m]}\nsend: [{channel: sms, template: t}]\n"
    job = Job(engine_of(rules(text, policy=CAP)))
    job.take([event("0s order")], "0s")
    assert _told(job.take([receipt("1m a released"), event("2m order", 2)], "2m")) == ["2m a send sms"]


def test_a_late_refusal_does_not_undo_a_later_send() -> None:
    text = TRIGGER + "limits: {once: 1h, budget: {sends: 9}}\nsend: [{channel: sms, template: t}]\n"
    job = Job(engine_of(rules(text)))
    [first] = job.take([event("0s order")], "0s")
    assert isinstance(first, Candidate)
    assert _told(job.take([event("1h order", 2)], "1h")) == ["1h a send sms"]
    refused = receipt(f"1h1m a released occurrence={first.record.occurrence}")
    assert _told(job.take([refused, event("1h2m order", 3)], "2h")) == ["1h2m a suppress once"]


def test_when_all_attempts_failed_the_budget_gets_its_unit_back_once() -> None:
    text = two().replace("send:", "limits: {budget: {sends: 5}}\nsend:")
    job = Job(engine_of(rules(text)))
    job.take([event("0s order")], "0s")
    failed = [receipt("1m a failed attempt=1"), receipt("2m a failed attempt=2"), receipt("3m a failed attempt=2")]
    assert _told(job.take(failed[:1], "1m")) == ["1m a send sms #2"]
    assert _told(job.take(failed[1:], "5m")) == ["Refund"]


def test_what_was_handed_back_and_then_cancelled_gives_its_unit_of_the_budget_back() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    text = two() + "limits: {budget: {sends: 9}}\ngoal: {event: pay, within: 1d}\n"
    job = Job(engine_of(rules(text, policy=policy)))
    job.take([event("0s order")], "1m")
    released = receipt("6m a released reason=quiet_hours attempt=1")
    assert _told(job.take([released], "7m")) == ["6m a hold quiet_hours #2"]
    paid = job.take([event("8m pay", 2)], "2h")
    assert _told(paid) == ["8m a goal", "Refund", "8m a suppress cancelled #2"]


def test_a_late_receipt_of_an_earlier_attempt_recalls_nothing() -> None:
    job = Job(engine_of(rules(two())))
    job.take([event("0s order"), receipt("1m a sent")], "6m")
    assert job.state.cases[0].attempt == 2
    assert _told(job.take([receipt("7m a delivered attempt=1"), receipt("8m a failed channel=wechat")], "1h")) == []
    assert job.state.cases[0].reached


def test_in_the_job_nothing_falls_back_without_a_receipt() -> None:
    job = Job(engine_of(rules(two("after: 5m, unless: read"))))
    assert _told(job.take([event("0s order")], "1d")) == ["0s a send wechat"]


def test_a_delivery_says_when_it_is_pointless() -> None:
    policy = "quiet_hours: {from: '20:00', to: '21:00'}\n"
    before_the_night = 8 * 60 * MINUTE - 1  # the first instant of quiet hours is quiet
    for limits, last, cut in [
        ("{}", before_the_night, "quiet_hours"),
        ("{send_before: 8h}", before_the_night, "quiet_hours"),
        ("{quiet_hours: ignore}", 24 * 60 * MINUTE, None),
        ("{send_before: 2h}", 2 * 60 * MINUTE, None),
    ]:
        job = Job(engine_of(rules(two().replace("send:", f"limits: {limits}\nsend:"), policy=policy)))
        [sent] = job.take([event("0s order")], "0s")
        assert isinstance(sent, Candidate)
        assert (sent.delivery.send_before - BASE, sent.delivery.cut) == (last, cut)
