"""When an activity can happen at all: reversed dates, dates past, dead states."""

from __future__ import annotations

from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft


def check_dates(draft: Draft, world: World, today: int | None) -> None:
    active, place = draft.activity.active, draft.source.find("active")
    if place is None:
        return
    if active.start is not None and active.end is not None and active.start >= active.end:
        message = "active: 'until' is not after 'from': the activity could never run"
        draft.report.error(place["until"].node, "reversed-dates", message, "swap them")
    elif today is not None and active.end is not None and active.end <= today and draft.activity.state != "ended":
        message = (
            f"active: 'until' is past: nothing of this activity happens any more, though it is {draft.activity.state}"
        )
        draft.report.warning(place["until"].node, "dates-past", message, "state: ended, or a later date")
