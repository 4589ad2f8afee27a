"""Each kind of violation alone: the same history without it is clean, with it exactly its check finds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.audit.story import BASE, Story, found

Tell = Callable[[Story], None]
HOUR, MINUTE = 3_600_000, 60_000


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


def two_under_the_cap(story: Story) -> None:
    story.sent("plain", "0s")
    story.sent("other", "1h")
    story.sent("plain", "24h")  # at exactly a day the first is free again


def a_third(story: Story) -> None:
    story.sent("other", "24h30m")


def two_sms_far_enough(story: Story) -> None:
    story.sent("plain", "0s", channel="sms")
    story.sent("other", "1h", channel="sms")


def sms_too_near(story: Story) -> None:
    for decision in story.decisions[1:]:
        decision["at"] -= 1


def one_a_day(story: Story) -> None:
    """11:00 p.m. and 1 a.m. of the next day in Honolulu, where no night is quiet for this one."""
    story.profiles["u1"] = {"timezone": "Pacific/Honolulu", "lists": []}
    story.sent("daily", "0s")  # 2 in the morning there, of Monday
    story.rows[-1] |= {"state": "unknown"}
    story.calls[-1] |= {"started_at": BASE + 8 * HOUR, "outcome": "unknown"}
    story.decide("daily", "22h")  # midnight
    story.row("failed", "rejected")
    story.sent("daily", "23h")
    story.calls[-1] |= {"started_at": BASE + 31 * HOUR}


def two_a_day(story: Story) -> None:
    story.sent("daily", "21h59m59s")
    story.calls[-1] |= {"started_at": BASE + 31 * HOUR}


def one_a_week(story: Story) -> None:
    story.sent("weekly", "-1d")  # Sunday
    story.sent("weekly", "4d")


def two_a_week(story: Story) -> None:
    story.sent("weekly", "6d")  # Sunday again


def budget_of_two(story: Story) -> None:
    for user in ("u1", "u2"):
        story.sent("scarce", "0s", user=user)
    story.decide("scarce", "0s", user="u3")
    story.row("failed", "rejected")


def a_third_unit(story: Story) -> None:
    story.decide("scarce", "1h", user="u4")
    story.row("unknown", "unknown")


def sent_in_the_evening(story: Story) -> None:
    """9:59:59 p.m. in London, an hour later in Berlin."""
    story.sent("free", "9h59m58s")
    story.profiles["u1"] = {"timezone": "Europe/London"}


def moved_to_berlin(story: Story) -> None:
    story.profiles["u1"] = {"timezone": "Europe/Berlin"}


def called_in_the_night(story: Story) -> None:
    story.calls[-1]["started_at"] = BASE + 10 * HOUR


def maybe_sent_in_the_night(story: Story) -> None:
    story.rows[-1]["state"] = "unknown"
    story.calls[-1] |= {"started_at": BASE + 20 * HOUR - 1, "outcome": None, "ended_at": None}


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


CASES: list[tuple[Tell, Tell, str, str]] = [
    (decide_and_send, accepted_twice, "sent_once", "call 2 after call 1 had been accepted (email)"),
    (decide_and_send, called_after_accepted, "sent_once", "call 2 after call 1 had been accepted (email)"),
    (unknown, called_after_unknown, "sent_once", "call 3 although nobody knew what had become of call 2 (email)"),
    (crashed, called_after_a_crash, "sent_once", "call 2 although nobody knew what had become of call 1 (email)"),
    (webhook_resent, webhook_resent_after_accepted, "sent_once", "call 4 after call 3 had been accepted (webhook)"),
    (call_forgotten, forget_the_first_call, "sent_once", "the ledger counts 2 calls, 1 are written down"),
    (decide_and_send, call_without_row, "sent_once", "a provider was called without a row in the ledger"),
    (two_under_the_cap, a_third, "caps", "is number 3 under cap m (2 in 1d, rolling)"),
    (two_sms_far_enough, sms_too_near, "caps", "is number 2 under cap m (1 in 1h, rolling, on sms)"),
    (one_a_day, two_a_day, "caps", "is number 2 under cap days (1 in 1d, calendar)"),
    (one_a_week, two_a_week, "caps", "is number 2 under cap weeks (1 in 7d, calendar)"),
    (budget_of_two, a_third_unit, "budgets", "scarce: unit 3 of a budget of 2 went to u4"),
    (sent_in_the_evening, moved_to_berlin, "quiet_hours", "2026-11-02T22:59:59.000+01:00, in quiet hours (email)"),
    (sent_in_the_evening, called_in_the_night, "quiet_hours", "2026-11-02T22:00:00.000+00:00, in quiet hours (email)"),
    (sent_in_the_evening, maybe_sent_in_the_night, "quiet_hours", "2026-11-03T07:59:59.999+00:00, in quiet hours"),
    (decide_and_send, row_lost, "explained", "plain for u1, attempt 1 on email, was never reserved"),
    (decide_and_send, never_finished, "explained", "plain for u1, attempt 1 on email, is still 'retry'"),
    (decided_and_failed, said_to_be_sent, "explained", "counts as sent, but no call to the provider can have sent it"),
    (decide_and_send, said_to_be_expired, "explained", "was accepted by the provider, but counts as 'expired'"),
    (decide_and_send, sent_elsewhere, "explained", "plain for u1 was decided for email and went to push"),
    (with_another, decision_lost, "explained", "nobody decided to send plain to u1 on email: the ledger says 'sent'"),
    (decide_and_send, decided_both_ways, "repeats", "attempt 1 of plain for u1 was decided as send and as suppress"),
    (repeated, repeated_otherwise, "repeats", "hold of plain for u1 was decided 2 times, each differently"),
]


@pytest.mark.parametrize(("tell", "spoil", "check", "what"), CASES, ids=[spoil.__name__ for _, spoil, *_ in CASES])
def test_a_violation_is_found_where_there_is_one(
    tell: Tell, spoil: Tell, check: str, what: str, tmp_path: Path
) -> None:
    story = Story()
    tell(story)
    assert found(story.audit(tmp_path / "clean")) == {}
    spoil(story)
    problems = found(story.audit(tmp_path / "spoilt"))
    assert set(problems) == {check}, problems
    assert len(problems[check]) == 1, problems
    assert what in problems[check][0]


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


def test_the_evidence_are_all_records_rows_and_calls_that_prove_it(tmp_path: Path) -> None:
    story = Story()
    two_under_the_cap(story)
    a_third(story)
    [finding] = [finding for finding in story.audit(tmp_path).findings if finding.check.name == "caps"]
    [evidence] = finding.evidence
    proven = {name: [row["key"] for row in rows] for name, rows in evidence.found.items()}
    keys = [row["key"] for row in (story.rows[3], story.rows[1], story.rows[2])]
    assert proven == {"decisions": keys, "ledger": keys, "calls": keys}
    assert evidence.found["decisions"][0]["origin"] == "decisions.jsonl:4"
