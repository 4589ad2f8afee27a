"""What is no violation, however much it looks like one, and what cannot be judged and says so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.engine_kit import HOUR, rules
from tests.unit.audit.story import BASE, POLICY, Story, activity, began, examined, found


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def test_an_occurrence_takes_one_slot_however_many_attempts_it_had(story: Story, tmp_path: Path) -> None:
    story.sent("plain", "0s", "x", channel="sms")
    story.sent("plain", "5m", "x", attempt=2)
    story.sent("other", "10m", "y")
    assert found(story.audit(tmp_path)) == {}
    assert examined(story.audit(tmp_path / "again"), "caps") == {"sends under caps": 3, "users": 1}


def test_what_never_reached_anybody_takes_none(story: Story, tmp_path: Path) -> None:
    for state, outcome in (("failed", "rejected"), ("expired", "retry"), ("recalled", "retry"), ("released", "retry")):
        story.decide("plain", "0s")
        story.row(state, outcome)
    story.sent("plain", "0s")
    story.sent("plain", "0s")
    assert found(story.audit(tmp_path)) == {}


def test_what_may_have_reached_somebody_takes_one(story: Story, tmp_path: Path) -> None:
    story.sent("once_an_hour", "0s")
    story.decide("once_an_hour", "1m")
    story.row("unknown", "unknown")
    assert set(found(story.audit(tmp_path))) == {"caps"}


def test_a_call_that_was_accepted_counts_before_its_row_says_so(story: Story, tmp_path: Path) -> None:
    story.sent("once_an_hour", "0s")
    story.decide("once_an_hour", "1m")
    story.row("reserved", "accepted")
    story.hand_over("1d")
    assert set(found(story.audit(tmp_path, now="1h"))) == {"caps"}


def test_of_several_attempts_each_that_went_keeps_the_slot_taken(story: Story, tmp_path: Path) -> None:
    story.decide("once_an_hour", "0s", "x")
    story.row("failed", "rejected")
    story.sent("once_an_hour", "40m", "x", attempt=2)
    story.sent("once_an_hour", "100m", "y")
    assert found(story.audit(tmp_path)) == {}
    story.sent("once_an_hour", "99m59s", "z", user="u2")
    story.sent("once_an_hour", "40m", "w", user="u2", attempt=2)
    [problem] = found(story.audit(tmp_path / "sooner"))["caps"]
    assert problem.startswith("once_an_hour for u2")


def test_a_cap_that_is_asked_but_not_used_up_and_the_other_way_round(story: Story, tmp_path: Path) -> None:
    for hour in range(4):
        story.sent("quietly", f"{hour}h")  # asked by, never used up
    story.sent("plain", "4h")
    story.sent("plain", "5h")
    story.sent("free", "6h")  # not asked by it
    assert found(story.audit(tmp_path)) == {}
    story.sent("quietly", "7h")
    assert set(found(story.audit(tmp_path / "full"))) == {"caps"}


def test_of_one_instant_any_order_that_allows_them_is_good(story: Story, tmp_path: Path) -> None:
    story.sent("plain", "0s")
    story.sent("plain", "0s")
    story.sent("quietly", "0s")
    assert found(story.audit(tmp_path)) == {}
    story.sent("plain", "0s")
    assert [len(problems) for problems in found(story.audit(tmp_path / "three")).values()] == [1]


def test_the_white_list_bypasses_caps_and_quiet_hours(story: Story, tmp_path: Path) -> None:
    for hour in range(5):
        story.sent("plain", f"1{hour}h", user="vip")
    assert found(story.audit(tmp_path)) == {}


def test_a_white_list_in_the_profiles(tmp_path: Path) -> None:
    policy = POLICY.replace("white: [vip]", "white: redis")
    story = Story(rules(activity("plain"), policy=policy), profiles={"u1": {"lists": ["white"]}})
    story.sent("plain", "12h")
    assert found(story.audit(tmp_path)) == {}
    story.profiles["u1"] = {"lists": ["black"]}
    assert set(found(story.audit(tmp_path / "not-on-it"))) == {"quiet_hours"}


def test_quiet_hours_do_not_bind_who_wakes_nobody_or_ignores_them(story: Story, tmp_path: Path) -> None:
    story.sent("rude", "12h")
    story.sent("plain", "12h", channel="webhook")
    assert found(story.audit(tmp_path)) == {}
    assert examined(story.audit(tmp_path / "again"), "quiet_hours") == {
        "calls": 0,
        "on channels that wake nobody": 1,
        "of activities that ignore quiet hours": 1,
    }


@pytest.mark.parametrize(
    ("name", "called", "good"),
    [
        ("by_day", "0s", True),
        ("by_day", "7h59m", True),
        ("by_day", "8h", False),
        ("by_day", "22h", True),  # Tuesday at ten
        ("by_day", "2d", False),  # Wednesday at noon
        ("by_night", "11h", True),
        ("by_night", "13h59m", True),  # of Monday's night
        ("by_night", "14h", False),
        ("by_night", "35h", False),  # Tuesday's
    ],
)
def test_the_hours_to_send_in(story: Story, name: str, called: str, good: bool, tmp_path: Path) -> None:
    story.sent(name, called)
    story.sent("free", "0s")
    assert set(found(story.audit(tmp_path))) == (set() if good else {"send_window"})
    assert examined(story.audit(tmp_path / "again"), "send_window") == {
        "calls": 1,
        "of activities that may send at any hour": 1,
    }


@pytest.mark.parametrize(
    ("word", "good", "judged"),
    [
        ({"on": False, "at": BASE + HOUR, "by": "link"}, True, 1),
        ({"on": False, "at": BASE - HOUR, "by": "link"}, False, 1),
        ({"on": False, "at": BASE - 1_000, "by": "link"}, True, 1),  # it may not have been written yet
        ({"on": False, "at": BASE - HOUR, "by": "event:shop"}, True, 0),  # it may have come late
        ({"on": True, "at": BASE - HOUR, "by": "link"}, True, 1),
        ({"on": False, "by": "import"}, True, 1),  # nobody knows since when
        (None, True, 1),
    ],
)
def test_whoever_had_left_the_topic(story: Story, word: Any, good: bool, judged: int, tmp_path: Path) -> None:
    story.profiles["u1"] = {"consents": {"news": word}}
    story.sent("news", "0s")
    story.sent("free", "0s")
    assert set(found(story.audit(tmp_path))) == (set() if good else {"consent"})
    assert examined(story.audit(tmp_path / "again"), "consent")["calls"] == judged


def test_a_call_in_the_night_that_was_certainly_not_taken(story: Story, tmp_path: Path) -> None:
    story.decide("free", "0s")
    story.row("sent", "retry", "accepted")
    began(story.calls[0], BASE + 12 * HOUR)
    began(story.calls[1], BASE + 20 * HOUR)  # eight in the morning
    assert found(story.audit(tmp_path)) == {}


@pytest.mark.parametrize(
    ("zone", "called", "quiet"),
    [
        # Berlin puts its clocks back at 3:00 on 2026-10-25, so the night is an hour longer, and forward on 2026-03-29
        ("Europe/Berlin", "2026-10-25T06:59:59Z", True),
        ("Europe/Berlin", "2026-10-25T07:00:00Z", False),
        ("Europe/Berlin", "2026-03-29T05:59:59Z", True),
        ("Europe/Berlin", "2026-03-29T06:00:00Z", False),
        ("Australia/Lord_Howe", "2026-10-03T20:59:59Z", True),
        ("Australia/Lord_Howe", "2026-10-03T21:00:00Z", False),
    ],
)
def test_the_night_follows_summer_time(story: Story, zone: str, called: str, quiet: bool, tmp_path: Path) -> None:
    story.sent("free", "0s")
    story.profiles["u1"] = {"timezone": zone}
    began(story.calls[-1], _ms(called))
    assert ("quiet_hours" in found(story.audit(tmp_path))) is quiet


def test_a_user_s_day_of_25_hours_is_one_day(story: Story, tmp_path: Path) -> None:
    """2026-10-25 in Berlin: from 22:00Z the evening before to 23:00Z."""
    story.profiles["u1"] = {"timezone": "Europe/Berlin"}
    for at in ("2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"):
        story.sent("daily", _ms(at))
        began(story.calls[-1], BASE)
    assert found(story.audit(tmp_path)) == {}
    story.sent("daily", _ms("2026-10-25T22:59:59Z"))
    began(story.calls[-1], BASE)
    assert set(found(story.audit(tmp_path / "spoilt"))) == {"caps"}


def test_a_send_may_wait_until_its_time_is_over(story: Story, tmp_path: Path) -> None:
    story.decide("free", "0s")
    story.hand_over("30m")
    story.decide("hasty", "0s")  # its delivery is not to be found: two hours at the most, by its rule
    story.decide("free", "0s")
    story.row("retry", "retry")  # a day at the most
    for number, (now, late) in enumerate(
        {"31m": 0, "31m1ms": 1, "2h1m": 1, "2h1m1ms": 2, "1d1m": 2, "1d1m1ms": 3}.items()
    ):
        audited = story.audit(tmp_path / str(number), now)
        assert len(found(audited).get("explained", [])) == late, now
        assert examined(audited, "explained") == {"sends decided": 3} | ({"pending": 3 - late} if late < 3 else {})


def test_a_paused_channel_is_waited_for(story: Story, tmp_path: Path) -> None:
    story.decide("free", "0s")
    story.paused.append("email")
    assert found(story.audit(tmp_path, now="9d")) == {}
    assert set(found(story.audit(tmp_path / "over"))) == {"explained"}, "in a run that is over nothing waits"


def test_a_row_may_be_seen_before_its_decision(story: Story, tmp_path: Path) -> None:
    story.sent("free", "0s")
    story.decisions.clear()
    story.decide("free", "0s", user="u2", outcome="match")
    assert found(story.audit(tmp_path, now="1m")) == {}
    young = {"ledger rows so young that their decision may not be visible yet": 1}
    assert examined(story.audit(tmp_path / "again", now="59s"), "explained") == {"sends decided": 0} | young
    assert set(found(story.audit(tmp_path / "later", now="60001ms"))) == {"explained"}


def test_a_channel_that_resends_may_hear_of_its_first_call_later(story: Story, tmp_path: Path) -> None:
    story.decide("free", "0s", channel="webhook")
    story.row("expired", "accepted", "retry")
    story.calls[0]["ended_at"] = story.calls[1]["started_at"] + 1
    assert found(story.audit(tmp_path)) == {}
    story.calls[0]["ended_at"] = story.calls[1]["started_at"]
    assert set(found(story.audit(tmp_path / "known"))) == {"sent_once"}


def test_versions_that_nobody_knows_are_counted_and_not_judged(story: Story, tmp_path: Path) -> None:
    for _ in range(5):
        story.sent("scarce", "12h", version="gone")
    audited = story.audit(tmp_path)
    assert found(audited) == {}
    unknown = "of a version that no known release has"
    assert examined(audited, "caps") == {"sends under caps": 0, "users": 0, f"sends {unknown}": 5}
    assert examined(audited, "budgets") == {"activities with a budget": 0, "units used up": 0, f"sends {unknown}": 5}
    assert examined(audited, "quiet_hours") == {"calls": 0, f"calls {unknown}": 5}


def test_who_was_decided_about_without_a_profile_is_judged_without_it(story: Story, tmp_path: Path) -> None:
    story.profiles["u1"] = {"timezone": "Europe/Berlin"}
    story.sent("free", "9h30m", degraded=True)
    assert found(story.audit(tmp_path)) == {}
    del story.decisions[0]["degraded"]
    assert set(found(story.audit(tmp_path / "known"))) == {"quiet_hours"}
