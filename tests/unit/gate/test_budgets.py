"""Budgets: the last gate, over all users, in the order of records; and the units that come back."""

from __future__ import annotations

import pytest

from tests.engine_kit import BASE, decisions, event, events, ms, receipt, rules
from tests.unit.engine.live_user import user

ORDER = "activity: a\ntrigger: {event: order}\nlimits: {%s}\nsend: [{channel: sms, template: t}]\n"


def test_never_overshot_and_spent_in_record_order() -> None:
    rule_set = rules(ORDER % "budget: {sends: 2}")
    given = events("1s order user=u3", "1s order user=u1", "1s order user=u2", "0s order user=u9")
    assert decisions(rule_set, given, users=True) == [
        "0s a send sms u9", "1s a send sms u1", "1s a suppress budget u2", "1s a suppress budget u3",
    ]  # fmt: skip


def test_each_activity_has_its_own() -> None:
    one = ORDER % "budget: {sends: 1}"
    rule_set = rules(one, one.replace("activity: a", "activity: b"))
    assert decisions(rule_set, events("0s order", "1s order")) == [
        "0s a send sms", "0s b send sms", "1s a suppress budget", "1s b suppress budget",
    ]  # fmt: skip


def test_a_refused_send_uses_up_neither_once_nor_a_cap() -> None:
    policy = "caps: {m: {rules: [{max: 1, per: 1d}]}}\n"
    other = (
        "activity: b\npriority: 1\ntrigger: {event: order}\nlimits: {caps: [m]}\nsend: [{channel: sms, template: t}]\n"
    )
    rule_set = rules(ORDER % "budget: {sends: 1}, once: 1h, caps: [m]", other, policy=policy)
    given = events("0s order user=u2", "1s order")
    assert decisions(rule_set, given, users=True) == [
        "0s a send sms u2", "0s b suppress cap:m u2", "1s a suppress budget u1", "1s b send sms u1",
    ]  # fmt: skip
    once = rules(ORDER % "budget: {sends: 1}, once: ever")
    given = [event("0s order user=u2"), *events("1s order", "2s order"), receipt("1s500ms a failed user=u2")]
    assert decisions(once, given) == ["0s a send sms", "1s a suppress budget", "2s a send sms"]


def test_a_slot_that_a_refusal_frees_goes_to_who_is_held_for_it() -> None:
    policy = "caps: {m: {rules: [{max: 1, per: 1d}], on_exceed: {retry_for: 2h}}}\n"
    low = "activity: b\npriority: 1\ntrigger: {event: pay}\nlimits: {caps: [m]}\nsend: [{channel: sms, template: t}]\n"
    rule_set = rules(ORDER % "budget: {sends: 1}, caps: [m]", low, policy=policy)
    given = events("0s order user=u2", "1s pay", "1s order")
    assert decisions(rule_set, given)[1:] == ["1s a suppress budget", "1s b send sms"]


def test_a_hold_takes_no_unit() -> None:
    rule_set = rules(ORDER % "budget: {sends: 1}", policy="quiet_hours: {from: '12:00', to: '13:00'}\n")
    given = events("0s order", "1h order user=u2")
    assert decisions(rule_set, given, users=True) == [
        "0s a hold quiet_hours u1", "1h a send sms u1", "1h a suppress budget u2",
    ]  # fmt: skip


def test_one_unit_an_occurrence_and_back_only_if_nothing_was_ever_sent() -> None:
    text = ORDER % "budget: {sends: 1}"
    text = text.replace("}]", "}, {channel: email, template: t}]")
    given = [*events("0s order", "5m order"), receipt("1m a failed"), receipt("2m a failed")]
    assert decisions(rules(text), given) == ["0s a send sms", "1m a send email #2", "5m a send sms"]
    given = [*events("0s order", "5m order"), receipt("1m a failed"), receipt("2m a sent"), receipt("3m a failed")]
    assert decisions(rules(text), given) == ["0s a send sms", "1m a send email #2", "5m a suppress budget"]


ONE_A_DAY = "caps: {m: {rules: [{max: 1, per: 1d}]}}\n"


@pytest.mark.parametrize("arrives", ["1s", "10s"])
def test_in_a_job_a_refusal_acts_at_a_fixed_time_however_fast_it_came(arrives: str) -> None:
    u = user(ORDER % "budget: {sends: 1}, caps: [m]", policy=ONE_A_DAY)
    u.take("1s order", "1s", 1)
    refused = receipt("1s a released")
    assert u.engine.on_event("u1", u.state, refused, BASE + ms(arrives)) == []
    assert u.engine.next_timer("u1", u.state) == BASE + ms("11s")
    u.take("10s999ms order", "10s", 2)
    u.take("11s1ms order", "10s", 3)
    assert u.wait("1h") == ["10s999ms a suppress cap:m", "11s1ms a send sms"]


def test_a_refusal_that_took_longer_acts_at_once() -> None:
    u = user(ORDER % "budget: {sends: 1}, caps: [m]", policy=ONE_A_DAY)
    u.take("1s order", "1s", 1)
    assert u.take("20s order", "20s", 2) == ["20s a suppress cap:m"]
    u.take("1s a released", "20s", 0)
    assert u.take("21s order", "21s", 3) == ["21s a send sms"]


def test_a_delivery_handed_back_for_quiet_hours_is_no_refusal_and_acts_at_its_time() -> None:
    u = user(ORDER % "budget: {sends: 1}")
    u.take("1s order", "1s", 1)
    assert u.take("2s a released reason=quiet_hours", "2s", 0) == ["2s a send sms #2"]
