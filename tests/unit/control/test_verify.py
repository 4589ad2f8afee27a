"""The log verifies: rows that were changed by hand, releases written past the approvals."""

from __future__ import annotations

import pytest
import sqlalchemy as sql

from kairos.adapters.rules.store import open_rule_store
from kairos.usecases.control.switch import Which, turn
from kairos.usecases.control.verify import verify
from tests.unit.control.desk import NOW, NUDGE, OTTO, Desk

CHANGES = {
    "UPDATE approvals SET decided_by = 'mallory' WHERE step = 'content'": "approvals: the row of approval/",
    "UPDATE approvals SET meaning_hash = 'x' WHERE number = (SELECT min(number) FROM approvals)": "was changed by hand",
    "DELETE FROM approvals WHERE number = (SELECT max(number) FROM approvals)": "is gone",
    "UPDATE audit_log SET actor = 'mallory' WHERE seq = 2": "entry 2 of the log was changed",
    "DELETE FROM audit_log WHERE seq = 2": "entry 2 of the log is missing",
    "UPDATE activity_states SET state = 'live', reason = 'fine'": "the row of activity/nudge was changed",
    "DELETE FROM activity_states": "the pause of activity/nudge is gone",
    "UPDATE rule_releases SET body = x'90'": "release 1 was changed by hand",
    "DELETE FROM rule_releases": "release 1 is gone",
}


@pytest.mark.parametrize("statement", CHANGES)
def test_a_row_that_was_changed_by_hand_is_found(desk: Desk, statement: str) -> None:
    turn(desk.store, Which(("nudge",)), "paused", OTTO, "", NOW)
    assert verify(desk.store).problems == []
    engine = sql.create_engine(desk.store)
    with engine.begin() as connection:
        connection.execute(sql.text(statement))
    engine.dispose()
    assert [problem for problem in verify(desk.store).problems if CHANGES[statement] in problem]


def test_a_release_written_past_the_approvals_is_found(desk: Desk) -> None:
    desk.write(NUDGE + "priority: 60\n")
    open_rule_store(desk.store).publish(desk.proposal().change.release, {}, "mallory")
    assert verify(desk.store).problems == ["release 2 stands in no entry of the log"]
