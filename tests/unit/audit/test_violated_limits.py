"""Every limit that the audit knows, kept and then not: caps, budgets, matching, quiet hours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine_kit import HOUR
from tests.unit.audit.spoilt import Tell, found_where_spoilt
from tests.unit.audit.story import BASE, Story, began


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
    began(story.calls[-1], BASE + 8 * HOUR)
    story.calls[-1]["outcome"] = "unknown"
    story.decide("daily", "22h")  # midnight
    story.row("failed", "rejected")
    story.sent("daily", "23h")
    began(story.calls[-1], BASE + 31 * HOUR)


def two_a_day(story: Story) -> None:
    story.sent("daily", "21h59m59s")
    began(story.calls[-1], BASE + 31 * HOUR)


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


WON = {"group": "offers", "score": 0.9, "p": 1.0, "won": True}


def chosen_once_a_day(story: Story) -> None:
    story.sent("offered", "0s", choice=WON)
    story.decide("offered", "5h", outcome="suppress", reason="outranked:offers", choice={**WON, "won": False})
    story.decide("offered", "2d", outcome="control", choice=WON)


def chosen_twice_a_day(story: Story) -> None:
    story.decide("offered", "23h", outcome="suppress", reason="budget", choice=WON)


def money_for_two(story: Story) -> None:
    for user in ("u1", "u2"):
        story.sent("dear", "0s", user=user)
    story.decide("dear", "0s", user="u3")
    story.row("failed", "rejected")


def money_for_a_third(story: Story) -> None:
    story.sent("dear", "1m", user="u4")


def sent_in_the_evening(story: Story) -> None:
    """9:59:59 p.m. in London, an hour later in Berlin."""
    story.sent("free", "9h59m58s")
    story.profiles["u1"] = {"timezone": "Europe/London"}


def moved_to_berlin(story: Story) -> None:
    story.profiles["u1"] = {"timezone": "Europe/Berlin"}


def called_in_the_night(story: Story) -> None:
    began(story.calls[-1], BASE + 10 * HOUR)


def maybe_sent_in_the_night(story: Story) -> None:
    story.rows[-1]["state"] = "unknown"
    story.calls[-1] |= {"started_at": BASE + 20 * HOUR - 1, "outcome": None, "ended_at": None}


CASES: list[tuple[Tell, Tell, str, str]] = [
    (two_under_the_cap, a_third, "caps", "is number 3 under cap m (2 in 1d, rolling)"),
    (two_sms_far_enough, sms_too_near, "caps", "is number 2 under cap m (1 in 1h, rolling, on sms)"),
    (one_a_day, two_a_day, "caps", "is number 2 under cap days (1 in 1d, calendar)"),
    (one_a_week, two_a_week, "caps", "is number 2 under cap weeks (1 in 7d, calendar)"),
    (budget_of_two, a_third_unit, "budgets", "scarce: unit 3 of a budget of 2 went to u4"),
    (money_for_two, money_for_a_third, "budgets", "dear: 0.9 of 0.7 of spring were spent with u4"),
    (chosen_once_a_day, chosen_twice_a_day, "matching", "offered won offers for u1, who had 1 wins in 1d already"),
    (sent_in_the_evening, moved_to_berlin, "quiet_hours", "2026-11-02T22:59:59.000+01:00, in quiet hours (email)"),
    (sent_in_the_evening, called_in_the_night, "quiet_hours", "2026-11-02T22:00:00.000+00:00, in quiet hours (email)"),
    (sent_in_the_evening, maybe_sent_in_the_night, "quiet_hours", "2026-11-03T07:59:59.999+00:00, in quiet hours"),
]


@pytest.mark.parametrize(("tell", "spoil", "check", "what"), CASES, ids=[spoil.__name__ for _, spoil, *_ in CASES])
def test_a_limit_that_was_not_kept_is_found(tell: Tell, spoil: Tell, check: str, what: str, tmp_path: Path) -> None:
    found_where_spoilt(tell, spoil, check, what, tmp_path)


def test_the_evidence_are_all_records_rows_and_calls_that_prove_it(tmp_path: Path) -> None:
    story = Story()
    two_under_the_cap(story)
    a_third(story)
    [finding] = [finding for finding in story.audit(tmp_path).findings if finding.check == "caps"]
    [evidence] = finding.evidence
    proven = {name: [row["key"] for row in rows] for name, rows in evidence.found.items()}
    keys = [row["key"] for row in (story.rows[3], story.rows[1], story.rows[2])]
    assert proven == {"decisions": keys, "ledger": keys, "calls": keys}
    assert evidence.found["decisions"][0]["origin"] == "decisions.jsonl:4"
