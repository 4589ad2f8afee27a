"""Receipts as the job has them: in any order of arrival, with budgets that another operator spends."""

from __future__ import annotations

import pytest

from kairos.engine.effect import Candidate
from tests.engine_kit import BASE, MINUTE, engine_of, event, ms, receipt, rules
from tests.unit.engine.live_job import CAP, TRIGGER, Job, told_by, two
from tests.unit.engine.live_user import user


def test_receipts_go_in_the_order_of_event_time_whenever_they_arrive() -> None:
    job = Job(engine_of(rules(two())))
    given = [receipt("1m a failed"), event("0s order")]
    assert told_by(job.take(given, "10m")) == ["0s a send wechat", "1m a send sms #2"]


def test_a_receipt_of_nothing_leaves_nothing_behind() -> None:
    job = Job(engine_of(rules(two())))
    assert job.take([receipt("1m a failed")], "1m") == []
    assert job.state.empty
    assert job.engine.counters["receipt_without_send"] == 1


def test_a_receipt_from_before_what_was_applied_acts_at_once() -> None:
    job = Job(engine_of(rules(two())))
    job.take([event("0s order"), event("10m order", 2)], "10m")
    assert told_by(job.take([receipt("1m a failed")], "10m")) == ["10m a send sms #2"]


def test_what_is_said_again_after_a_failure_changes_nothing() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    job = Job(engine_of(rules(two("data: {}"), policy=policy)))
    job.take([event("0s order"), receipt("1m a sent")], "1m")
    assert told_by(job.take([receipt("6m a failed")], "6m")) == ["6m a hold quiet_hours #2"]
    again = [receipt("1m a sent"), receipt("6m a failed"), receipt("7m a unknown")]
    assert told_by(job.take(again, "2h")) == ["1h a send sms #2"]


def test_what_was_delivered_after_all_needs_no_fallback() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    job = Job(engine_of(rules(two(), policy=policy)))
    job.take([event("0s order"), receipt("6m a failed")], "6m")
    assert told_by(job.take([receipt("7m a delivered")], "2h")) == ["7m a suppress cancelled #2"]


def test_a_delivery_cut_by_quiet_hours_is_asked_about_again() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    job = Job(engine_of(rules(two(), policy=policy)))
    job.take([event("0s order")], "0s")
    released = receipt("6m a released reason=quiet_hours attempt=1")
    assert told_by(job.take([released], "2h")) == ["6m a hold quiet_hours #2", "1h a send wechat #2"]
    assert told_by(job.take([released], "3h")) == []


def test_a_refused_budget_gives_everything_back() -> None:
    text = TRIGGER + "limits: {once: ever, budget: {sends: 1}, caps: [m]}\nsend: [{channel: sms, template: t}]\n"
    job = Job(engine_of(rules(text, policy=CAP)))
    job.take([event("0s order")], "0s")
    assert told_by(job.take([receipt("1m a released"), event("2m order", 2)], "2m")) == ["2m a send sms"]


def test_a_late_refusal_does_not_undo_a_later_send() -> None:
    text = TRIGGER + "limits: {once: 1h, budget: {sends: 9}}\nsend: [{channel: sms, template: t}]\n"
    job = Job(engine_of(rules(text)))
    [first] = job.take([event("0s order")], "0s")
    assert isinstance(first, Candidate)
    assert told_by(job.take([event("1h order", 2)], "1h")) == ["1h a send sms"]
    refused = receipt(f"1h1m a released occurrence={first.record.occurrence}")
    assert told_by(job.take([refused, event("1h2m order", 3)], "2h")) == ["1h2m a suppress once"]


@pytest.mark.parametrize("ending", ["failed", "expired", "recalled"])
def test_once_counts_what_may_have_reached_her(ending: str) -> None:
    u = user(TRIGGER + "limits: {once: 1d}\nsend: [{channel: sms, template: t}]\n")
    assert u.take("0s order", "0s", 1) == ["0s a send sms"]
    u.take(f"1m a {ending}", "1m", 2)
    assert u.take("2m order", "2m", 3) == ["2m a send sms"]
    assert u.take("3m order", "3m", 4) == ["3m a suppress once"]
    u.take("4m a unknown", "4m", 5)
    assert u.take("5m order", "5m", 6) == ["5m a suppress once"]


def test_once_goes_back_to_the_send_before_that_reached_her_whatever_the_order_of_their_ends() -> None:
    u = user(TRIGGER + "limits: {once: 1h}\nsend: [{channel: sms, template: t}]\n")
    sends = []
    for hour in (1, 3, 5):
        (effect,) = u.effects(f"{hour}h order", f"{hour}h", hour)
        assert isinstance(effect, Candidate)
        sends.append(effect.record)
    for hour, send in zip((6, 7), (sends[1], sends[2]), strict=True):
        u.take(f"{hour}h a failed occurrence={send.occurrence}", f"{hour}h", hour)
    assert u.state.once == {"a": BASE + ms("1h")}


def test_when_all_attempts_failed_the_budget_gets_its_unit_back_once() -> None:
    text = two().replace("send:", "limits: {budget: {sends: 5}}\nsend:")
    job = Job(engine_of(rules(text)))
    job.take([event("0s order")], "0s")
    failed = [receipt("1m a failed attempt=1"), receipt("2m a failed attempt=2"), receipt("3m a failed attempt=2")]
    assert told_by(job.take(failed[:1], "1m")) == ["1m a send sms #2"]
    assert told_by(job.take(failed[1:], "5m")) == ["Refund"]


def test_what_was_handed_back_and_then_cancelled_gives_its_unit_of_the_budget_back() -> None:
    policy = "quiet_hours: {from: '12:05', to: '13:00'}\n"
    text = two() + "limits: {budget: {sends: 9}}\ngoal: {event: pay, within: 1d}\n"
    job = Job(engine_of(rules(text, policy=policy)))
    job.take([event("0s order")], "1m")
    released = receipt("6m a released reason=quiet_hours attempt=1")
    assert told_by(job.take([released], "7m")) == ["6m a hold quiet_hours #2"]
    paid = job.take([event("8m pay", 2)], "2h")
    assert told_by(paid) == ["Refund", "8m a suppress cancelled #2"]


def test_a_late_receipt_of_an_earlier_attempt_recalls_nothing() -> None:
    job = Job(engine_of(rules(two())))
    job.take([event("0s order"), receipt("1m a sent")], "6m")
    assert job.state.cases[0].attempt == 2
    assert told_by(job.take([receipt("7m a delivered attempt=1"), receipt("8m a failed channel=wechat")], "1h")) == []
    assert job.state.cases[0].reached


def test_in_the_job_nothing_falls_back_without_a_receipt() -> None:
    job = Job(engine_of(rules(two("after: 5m, unless: read"))))
    assert told_by(job.take([event("0s order")], "1d")) == ["0s a send wechat"]


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
