"""What is no violation, however much it looks like one, and what cannot be judged and says so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from kairos.engine.rule.release import Release
from tests.engine_kit import rules
from tests.unit.audit.story import BASE, DAY, POLICY, RULES, Story, activity, examined, found

HOUR = 3_600_000


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


@pytest.fixture
def story() -> Story:
    return Story()


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


def test_a_call_in_the_night_that_was_certainly_not_taken(story: Story, tmp_path: Path) -> None:
    story.decide("free", "0s")
    story.row("sent", "retry", "accepted")
    story.calls[0]["started_at"] = BASE + 12 * HOUR
    story.calls[1]["started_at"] = BASE + 20 * HOUR  # eight in the morning
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
    story.calls[-1]["started_at"] = _ms(called)
    assert bool(found(story.audit(tmp_path))) is quiet


def test_a_user_s_day_of_25_hours_is_one_day(story: Story, tmp_path: Path) -> None:
    """2026-10-25 in Berlin: from 22:00Z the evening before to 23:00Z."""
    story.profiles["u1"] = {"timezone": "Europe/Berlin"}
    for at in ("2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"):
        story.sent("daily", _ms(at))
        story.calls[-1]["started_at"] = BASE
    assert found(story.audit(tmp_path)) == {}
    story.sent("daily", _ms("2026-10-25T22:59:59Z"))
    story.calls[-1]["started_at"] = BASE
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


def releases(effective_at: int) -> list[Release]:
    """First no quiet hours, then those of POLICY."""
    awake = msgspec.structs.replace(RULES.policy, quiet_hours=None)
    before = msgspec.structs.replace(RULES, policy=awake)
    return [Release(1, before), Release(2, RULES, effective_at)]


def test_each_decision_is_judged_by_the_policy_of_its_time(story: Story, tmp_path: Path) -> None:
    story.sent("free", "12h")
    assert found(story.audit(tmp_path / "1", releases=releases(BASE + DAY))) == {}
    assert set(found(story.audit(tmp_path / "2", releases=releases(BASE)))) == {"quiet_hours"}


def test_just_after_a_release_the_one_before_may_still_have_decided(story: Story, tmp_path: Path) -> None:
    story.sent("free", "12h")
    for number, (ago, judged) in enumerate(((59_999, False), (60_000, True))):
        audited = story.audit(tmp_path / str(number), releases=releases(BASE + 12 * HOUR - ago))
        assert bool(found(audited)) is judged


def test_what_was_decided_before_any_release_that_is_known_is_not_judged(story: Story, tmp_path: Path) -> None:
    """A rule folder knows only its newest: nobody can say what held before."""
    for _ in range(3):
        story.sent("plain", "12h")
    newest = Release(7, RULES, BASE + 12 * HOUR - 59_999)
    audited = story.audit(tmp_path / "1", releases=[newest])
    assert found(audited) == {}
    before = "from before the first release that is known"
    assert examined(audited, "caps") == {"sends under caps": 0, "users": 0, f"sends {before}": 3}
    assert examined(audited, "quiet_hours") == {"calls": 0, f"calls {before}": 3}
    known = msgspec.structs.replace(newest, effective_at=BASE + 12 * HOUR - 60_000)
    assert set(found(story.audit(tmp_path / "2", releases=[known]))) == {"caps", "quiet_hours"}


def test_an_old_definition_that_drains_is_known(story: Story, tmp_path: Path) -> None:
    story.sent("rude", "12h")
    version, rude = story.decisions[0]["version"], RULES.activities["rude"]
    others = msgspec.structs.replace(RULES, activities={n: a for n, a in RULES.activities.items() if n != "rude"})
    gone, draining = Release(1, others), Release(1, others, draining={version: rude})
    assert "calls of a version that no known release has" in examined(
        story.audit(tmp_path / "1", releases=[gone]), "quiet_hours"
    )
    assert examined(story.audit(tmp_path / "2", releases=[draining]), "quiet_hours") == {
        "calls": 0,
        "of activities that ignore quiet hours": 1,
    }
