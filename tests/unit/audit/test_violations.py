"""Each kind of violation alone: the same history without it is clean, with it exactly its check finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine_kit import MINUTE
from tests.unit.audit.spoilt import Tell, found_where_spoilt
from tests.unit.audit.story import BASE, DAY, Story, began, found


def decide_and_send(story: Story) -> None:
    story.sent("plain", "0s")


def accepted_twice(story: Story) -> None:
    story.call(story.rows[-1]["key"], 2, "accepted", BASE + MINUTE)
    story.rows[-1]["calls"] = 2


def called_after_accepted(story: Story) -> None:
    story.call(story.rows[-1]["key"], 2, "retry", BASE + MINUTE)
    story.rows[-1]["calls"] = 2


def unknown(story: Story) -> None:
    story.decide("plain", "0s")
    story.row("unknown", "retry", "unknown")


def called_after_unknown(story: Story) -> None:
    story.call(story.rows[-1]["key"], 3, "retry", BASE + MINUTE)
    story.rows[-1]["calls"] = 3


def crashed(story: Story) -> None:
    """Nobody lived to write what became of the call."""
    story.decide("plain", "0s")
    story.row("unknown", None)


def called_after_a_crash(story: Story) -> None:
    story.call(story.rows[-1]["key"], 2, "retry", BASE + MINUTE)
    story.rows[-1]["calls"] = 2


def webhook_resent(story: Story) -> None:
    story.decide("plain", "0s", channel="webhook")
    story.row("sent", None, "unknown", "accepted")


def webhook_resent_after_accepted(story: Story) -> None:
    story.call(story.rows[-1]["key"], 4, "accepted", BASE + MINUTE)
    story.rows[-1]["calls"] = 4


def another_key(story: Story) -> None:
    """The row of one delivery under the key of another, as if the channel were part of it."""
    story.rows.append({**story.rows[-1], "key": "0" * 32, "calls": 0, "state": "failed"})


def call_without_row(story: Story) -> None:
    story.call("1" * 32, 1, "accepted", BASE)


def call_forgotten(story: Story) -> None:
    story.decide("plain", "0s")
    story.row("sent", "retry", "accepted")


def forget_the_first_call(story: Story) -> None:
    del story.calls[0]


def decided_and_failed(story: Story) -> None:
    story.decide("plain", "0s")
    story.row("failed", "rejected")


def row_lost(story: Story) -> None:
    story.rows.clear()
    story.calls.clear()


def never_finished(story: Story) -> None:
    story.rows[-1]["state"] = "retry"
    story.calls[-1]["outcome"] = "retry"


def said_to_be_sent(story: Story) -> None:
    story.rows[-1]["state"] = "sent"


def said_to_be_expired(story: Story) -> None:
    story.rows[-1]["state"] = "expired"


def sent_elsewhere(story: Story) -> None:
    story.rows[-1]["channel"] = "push"


def decision_lost(story: Story) -> None:
    story.decisions[:] = [decision for decision in story.decisions if decision["activity"] != "plain"]


def with_another(story: Story) -> None:
    story.sent("plain", "0s")
    story.sent("free", "0s")


def repeated(story: Story) -> None:
    story.sent("plain", "0s")
    story.decide("plain", "1h", "held", outcome="hold", reason="quiet_hours")
    story.decisions += [dict(decision) for decision in story.decisions]


def repeated_otherwise(story: Story) -> None:
    story.decisions[-1]["reason"] = "cap:m"


def decided_both_ways(story: Story) -> None:
    story.decide("plain", "0s", story.decisions[0]["occurrence"], outcome="suppress", reason="cap:m")


def handed_over_and_sent(story: Story) -> None:
    story.decide("plain", "0s")
    story.hand_over("10m")
    story.row("sent", "retry", "accepted")


def called_ten_days_before(story: Story) -> None:
    _call(story, 1, -10 * DAY)


def called_before_it_might(story: Story) -> None:
    story.deliveries[-1]["not_before"] = BASE + 1_500


def called_too_late(story: Story) -> None:
    _call(story, 2, 10 * MINUTE + 1)


def ended_before_it_began(story: Story) -> None:
    story.calls[-1]["ended_at"] = story.calls[-1]["started_at"] - 1


def settled_before_it_was_reserved(story: Story) -> None:
    story.rows[-1]["settled_at"] = story.rows[-1]["reserved_at"] - 1


def decided_a_millisecond_later(story: Story) -> None:
    story.decisions[-1]["at"] += 1


def handed_over_for_another_channel(story: Story) -> None:
    story.deliveries[-1]["channel"] = "push"


def handed_over_with_another_text(story: Story) -> None:
    story.deliveries[-1]["template"] = "other"


def said_to_have_failed(story: Story) -> None:
    story.rows[-1]["state"] = "failed"


def asked_again_and_refused(story: Story) -> None:
    story.decide("rude", "0s", channel="webhook")
    story.row("unknown", "unknown", "rejected")


def _call(story: Story, number: int, at: int) -> None:
    began(story.calls[number - 1], BASE + at)


CASES: list[tuple[Tell, Tell, str, str]] = [
    (decide_and_send, accepted_twice, "sent_once", "call 2 after call 1 had been accepted (email)"),
    (decide_and_send, called_after_accepted, "sent_once", "call 2 after call 1 had been accepted (email)"),
    (unknown, called_after_unknown, "sent_once", "call 3 although nobody knew what had become of call 2 (email)"),
    (crashed, called_after_a_crash, "sent_once", "call 2 although nobody knew what had become of call 1 (email)"),
    (webhook_resent, webhook_resent_after_accepted, "sent_once", "call 4 after call 3 had been accepted (webhook)"),
    (call_forgotten, forget_the_first_call, "sent_once", "the ledger counts 2 calls, 1 are written down"),
    (decide_and_send, call_without_row, "sent_once", "a provider was called without a row in the ledger"),
    (decide_and_send, row_lost, "explained", "plain for u1, attempt 1 on email, was never reserved"),
    (decide_and_send, never_finished, "explained", "plain for u1, attempt 1 on email, is still 'retry'"),
    (decided_and_failed, said_to_be_sent, "explained", "counts as sent, but no call to the provider can have sent it"),
    (decide_and_send, said_to_be_expired, "explained", "was accepted by the provider, but counts as 'expired'"),
    (decide_and_send, sent_elsewhere, "explained", "plain for u1 was decided for email and went to push"),
    (with_another, decision_lost, "explained", "nobody decided to send plain to u1 on email: the ledger says 'sent'"),
    (handed_over_and_sent, called_ten_days_before, "in_time", "2026-10-23T12:00:00.000+00:00, before the decision"),
    (handed_over_and_sent, called_before_it_might, "in_time", "and not before 2026-11-02T12:00:01.500+00:00 it might"),
    (handed_over_and_sent, called_too_late, "in_time", "and it might until 2026-11-02T12:10:00.000+00:00 only"),
    (decide_and_send, ended_before_it_began, "in_time", "and ended at 2026-11-02T12:00:00.999+00:00, before that"),
    (decide_and_send, settled_before_it_was_reserved, "in_time", "was settled at 2026-11-02T11:59:59.999+00:00"),
    (handed_over_and_sent, decided_a_millisecond_later, "handed_over", "decided with at 2026-11-02T12:00:00.001+00:00"),
    (handed_over_and_sent, handed_over_for_another_channel, "handed_over", "handed over with push"),
    (handed_over_and_sent, handed_over_with_another_text, "handed_over", "decided with template t, handed over with"),
    (decide_and_send, said_to_have_failed, "explained", "was accepted by the provider, but counts as 'failed'"),
    (asked_again_and_refused, said_to_have_failed, "explained", "although nobody knows what became of a call"),
    (decide_and_send, decided_both_ways, "repeats", "attempt 1 of plain for u1 was decided as send and as suppress"),
    (repeated, repeated_otherwise, "repeats", "hold of plain for u1 was decided 2 times, each differently"),
]


@pytest.mark.parametrize(("tell", "spoil", "check", "what"), CASES, ids=[spoil.__name__ for _, spoil, *_ in CASES])
def test_a_violation_is_found_where_there_is_one(
    tell: Tell, spoil: Tell, check: str, what: str, tmp_path: Path
) -> None:
    found_where_spoilt(tell, spoil, check, what, tmp_path)


def test_one_delivery_under_two_keys(tmp_path: Path) -> None:
    """Found as what it is: a key that is not its own, a second row, and a row that nobody asked for."""
    story = Story()
    decide_and_send(story)
    another_key(story)
    problems = found(story.audit(tmp_path))
    assert set(problems) == {"sent_once", "explained"}
    wrong_key, twice = problems["sent_once"]
    assert wrong_key.startswith("a ledger row is filed under the key of something else")
    assert twice == "2 ledger rows for attempt 1 of plain o0 for u1"
