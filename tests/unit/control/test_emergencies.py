"""Emergencies: what goes out without the approvals that it needs, and pauses unless they follow."""

from __future__ import annotations

import pytest

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.rules.store import RuleStoreError
from kairos.adapters.rules.store_sql import SqlRuleStore
from kairos.usecases.control.emergencies import EMERGENCY_MS
from kairos.usecases.control.rights import NotAllowedError
from kairos.usecases.control.switch import Which, turn
from kairos.usecases.control.verify import verify
from kairos.usecases.errors import AskError
from tests.unit.control.desk import ANN, EVE, HOUR, NOW, NUDGE, OTTO, Desk, actor


def test_what_goes_out_in_an_emergency_pauses_by_itself_unless_it_is_approved(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    with pytest.raises(NotAllowedError):
        desk.publish(ANN, "it burns")
    assert desk.publish(OTTO, "it burns").pausing == ("nudge",)
    states = ActivityStates(desk.control)
    assert [states.read().at("nudge", NOW + at) for at in (0, EMERGENCY_MS - 1, EMERGENCY_MS)] == [
        "live",
        "live",
        "paused",
    ]
    assert desk.review().emergency == 2
    turn(desk.store, Which(("nudge",)), "paused", OTTO, "", NOW + 1)
    turn(desk.store, Which(("nudge",)), "live", OTTO, "", NOW + 2)
    assert states.read().at("nudge", NOW + EMERGENCY_MS) == "paused"
    desk.now += HOUR
    with pytest.raises(NotAllowedError):
        desk.approve(actor("otto", "reviewer:editor"))
    desk.approve(EVE)
    assert states.read().at("nudge", NOW + EMERGENCY_MS) == "live"
    assert verify(desk.store).problems == []


OTHER = NUDGE.replace("nudge", "other")


def pauses(desk: Desk, name: str = "nudge", at: int = NOW + EMERGENCY_MS) -> bool:
    return ActivityStates(desk.control).read().at(name, at) == "paused"


def test_what_was_in_review_before_the_emergency_is_approved_as_well(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.submit(ANN)
    desk.now += 1
    desk.publish(OTTO, "it burns")
    assert (desk.review().emergency, pauses(desk, at=desk.now + EMERGENCY_MS)) == (2, True)
    desk.approve(EVE)
    assert not pauses(desk, at=desk.now + EMERGENCY_MS)


def test_approving_one_thing_of_an_emergency_does_not_free_another(desk: Desk) -> None:
    """Not even where the other one was submitted in another form meanwhile."""
    desk.write(NUDGE + "priority: 60\n", activities__shop__other_yaml=OTHER)
    assert desk.publish(OTTO, "it burns").pausing == ("nudge", "other")
    desk.write(NUDGE + "priority: 61\n", activities__shop__other_yaml=OTHER)
    desk.now += 1
    desk.submit()
    desk.approve(EVE, "other")
    assert (pauses(desk), pauses(desk, "other")) == (True, True)
    desk.approve(EVE)
    assert pauses(desk)  # approved, and does not run yet
    assert desk.publish().number == 3
    assert (pauses(desk), pauses(desk, "other")) == (False, False)


def test_one_emergency_after_another_gains_no_time(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.publish(OTTO, "it burns")
    desk.now += 23 * HOUR
    desk.write(NUDGE + "priority: 61\n")
    desk.publish(OTTO, "it burns on")
    for state in ("paused", "live"):
        desk.now += 1
        turn(desk.store, Which(("nudge",)), state, OTTO, "", desk.now)
    assert pauses(desk)
    desk.approve(EVE)
    assert not pauses(desk)


def test_an_emergency_that_could_not_be_written_leaves_the_one_before_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.publish(OTTO, "it burns")
    desk.now += HOUR
    desk.write(NUDGE + "priority: 61\n")

    def fails(*_: object) -> None:
        raise RuleStoreError("away")

    monkeypatch.setattr(SqlRuleStore, "publish", fails)
    with pytest.raises(RuleStoreError):
        desk.publish(OTTO, "it burns on")
    turns = ActivityStates(desk.control).history("nudge")
    assert (turns[-1].reason, turns[-1].since) == (turns[0].reason, NOW + EMERGENCY_MS)
    assert pauses(desk)


def test_what_paused_for_want_of_an_approval_is_not_resumed_without_it(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    desk.publish(OTTO, "it burns")
    desk.now += EMERGENCY_MS
    with pytest.raises(AskError, match="has to be approved first"):
        turn(desk.store, Which(("nudge",)), "live", OTTO, "", desk.now)
    assert [each.changed for each in turn(desk.store, Which(all=True), "live", OTTO, "", desk.now)] == [False]
    desk.approve(EVE)
    assert turn(desk.store, Which(("nudge",)), "live", OTTO, "", desk.now)[0].changed


def test_what_all_have_in_common_pauses_all(desk: Desk) -> None:
    desk.write(NUDGE, metrics_yaml="n: {count: visit}\n")
    assert desk.publish(OTTO, "it burns").pausing == ("nudge",)
