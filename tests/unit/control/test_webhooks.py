"""Systems that have to agree: all are asked together, and nobody waits for the slow ones longer than is said."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Barrier, Event

import pytest

from kairos.usecases.control import approvals
from kairos.usecases.control.advance import Answer, advance
from tests.unit.control.desk import NUDGE, Desk

ASKED = ("nudge", "first", "second", "third")


@pytest.fixture
def hooked(desk: Desk) -> Desk:
    """Each of ASKED waits for the answer of another system."""
    more = {
        f"activities__shop__{name}_yaml": NUDGE.replace("nudge", name) + "priority: 2\n"
        for name in ASKED
        if name != "nudge"
    }
    desk.write(NUDGE + "priority: 2\n", **more)
    desk.submit()
    return desk


def states(desk: Desk) -> dict[str, str]:
    return {each.subject: each.state for each in approvals.reviews(desk.control, desk.now) if each.subject in ASKED}


def test_all_are_asked_at_the_same_time(hooked: Desk) -> None:
    together = Barrier(len(ASKED), timeout=60)  # who is asked alone waits for the others in vain

    def ask(_url: str, _body: Mapping[str, str]) -> Answer | None:
        together.wait()
        return Answer("approved")

    assert set(states(hooked).values()) == {"in_review"}
    advance(hooked.control, hooked.now, ask, patience=60)
    assert states(hooked) == dict.fromkeys(ASKED, "approved")


def test_who_does_not_answer_in_time_holds_nobody_up(hooked: Desk) -> None:
    over, heard = Event(), Event()

    def ask(_url: str, body: Mapping[str, str]) -> Answer | None:
        if body["subject"] == "first":
            over.wait()
            return Answer("approved")
        heard.set()
        return Answer("rejected", "no")

    try:
        while not heard.is_set():
            advance(hooked.control, hooked.now, ask, patience=0.2)
        while set(states(hooked).values()) != {"in_review", "rejected"} or states(hooked)["first"] != "in_review":
            advance(hooked.control, hooked.now, ask, patience=0.2)
    finally:
        over.set()
    assert states(hooked)["first"] == "in_review"


def test_an_answer_that_somebody_else_has_had_already_is_no_error(hooked: Desk) -> None:
    def ask(_url: str, body: Mapping[str, str]) -> Answer | None:
        if body["subject"] == "nudge":
            advance(hooked.control, hooked.now, lambda *_: Answer("rejected", "they were first"))
        return Answer("approved")

    advance(hooked.control, hooked.now, ask, patience=60)
    assert states(hooked)["nudge"] == "rejected"
