"""What becomes of a case: one table, from the stage that it is in and what happens to it to what is done.

`life.py` looks it up and knows who does what; the fields of a case are changed in `user/case.py` alone. The drawing of
this table in ARCHITECTURE.md is made from it (`tools/draw_case.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kairos.engine.user.case import Stage


class Input:
    """What can happen to a case, in the words of the drawing."""

    DUE: Final = "matched, or its time has come"
    ALLOWED: Final = "gates: send"
    HOLD: Final = "gates: hold"
    CONTROL: Final = "gates: control group"
    NOTE: Final = "gates: match, nothing to send"
    SUPPRESS: Final = "gates: suppress"
    NO_BUDGET: Final = "budget refused"
    WENT: Final = "receipt: unknown, sent, delivered, read, clicked"
    FAILED: Final = "receipt: failed, expired"
    HANDED_BACK: Final = "receipt: released for quiet hours"
    RECALLED: Final = "receipt: recalled"
    TOO_LATE: Final = "receipt: too_late"
    EARLIER: Final = "receipt of an earlier attempt"
    GOAL: Final = "goal met"
    LEFT: Final = "its journey is left"
    ABSENCE: Final = "what must not happen, in time"
    ABSENCE_LATE: Final = "what must not happen, late, of after the match"
    MISTAKE: Final = "what must not happen, late, of before the match"
    TOO_LARGE: Final = "too much is kept of the user"


class Action:
    """What is done, in the words of the drawing."""

    ASK: Final = "ask the gates"
    SEND: Final = "send"
    HOLD: Final = "hold"
    TAKE_OUT: Final = "record control"
    NOTE: Final = "record match"
    SUPPRESS: Final = "suppress"
    TAKE_BACK: Final = "take back"
    ARRIVE: Final = "note arrival"
    FALL_BACK: Final = "fall back"
    RETRY: Final = "ask again"
    END: Final = "end"
    TOO_LATE: Final = "note it went"
    REACH: Final = "keep reserved"
    STOP: Final = "stop"
    UNDO: Final = "undo"


NEW, HELD, UNDER_WAY, CALLED_BACK = Stage.NEW, Stage.HELD, Stage.UNDER_WAY, Stage.CALLED_BACK
SENT, FAILED, CONTROL, NOTED, CLOSED = Stage.SENT, Stage.FAILED, Stage.CONTROL, Stage.NOTED, Stage.CLOSED
GHOST = Stage.GHOST

STAGES = (NEW, HELD, UNDER_WAY, CALLED_BACK, SENT, FAILED, CONTROL, GHOST, NOTED, CLOSED)
ASKED = (NEW, HELD, GHOST, SENT, FAILED)
ATTEMPTED = (HELD, UNDER_WAY, SENT, FAILED)
OPEN = (*ATTEMPTED, GHOST)
TRIED = (*ATTEMPTED, CALLED_BACK, CLOSED)


def _in(stages: tuple[str, ...], action: str) -> dict[str, str]:
    return dict.fromkeys(stages, action)


TABLE: Mapping[str, Mapping[str, str]] = {
    Input.DUE: _in(ASKED, Action.ASK),
    Input.ALLOWED: _in((NEW, HELD, SENT, FAILED), Action.SEND),
    Input.HOLD: _in(ASKED, Action.HOLD),
    Input.CONTROL: _in((NEW, HELD), Action.TAKE_OUT) | _in((GHOST,), Action.STOP),
    Input.NOTE: _in((NEW,), Action.NOTE),
    Input.SUPPRESS: _in((NEW, HELD, SENT, FAILED), Action.SUPPRESS) | _in((GHOST,), Action.STOP),
    Input.NO_BUDGET: _in((*TRIED, CONTROL, NOTED), Action.TAKE_BACK),
    Input.WENT: _in(TRIED, Action.ARRIVE),
    Input.FAILED: _in(TRIED, Action.FALL_BACK),
    Input.HANDED_BACK: _in(TRIED, Action.RETRY),
    Input.RECALLED: _in(TRIED, Action.END),
    Input.TOO_LATE: _in((UNDER_WAY, CALLED_BACK, CLOSED), Action.TOO_LATE),
    Input.EARLIER: _in(TRIED, Action.REACH),
    Input.GOAL: _in(OPEN, Action.STOP),
    Input.LEFT: _in(OPEN, Action.STOP),
    Input.ABSENCE: _in(OPEN, Action.STOP),
    Input.ABSENCE_LATE: _in(OPEN, Action.STOP),
    Input.MISTAKE: _in((HELD,), Action.STOP)
    | _in((UNDER_WAY, SENT, FAILED, CALLED_BACK, CONTROL, GHOST, NOTED, CLOSED), Action.UNDO),
    Input.TOO_LARGE: _in((*TRIED, CONTROL, GHOST, NOTED), Action.STOP),
}
"""Where nothing stands, nothing is done."""

LEADS_TO: Mapping[str, tuple[str, ...]] = {
    Action.ASK: (),
    Action.SEND: (UNDER_WAY, SENT),
    Action.HOLD: (HELD, GHOST),
    Action.TAKE_OUT: (CONTROL,),
    Action.NOTE: (NOTED,),
    Action.SUPPRESS: (CLOSED,),
    Action.TAKE_BACK: (),
    Action.ARRIVE: (SENT, CLOSED),
    Action.FALL_BACK: (FAILED, CLOSED),
    Action.RETRY: (FAILED, CLOSED),
    Action.END: (CLOSED,),
    Action.TOO_LATE: (SENT, CLOSED),
    Action.REACH: (),
    Action.STOP: (CALLED_BACK, CLOSED),
    Action.UNDO: (CALLED_BACK, CLOSED),
}
"""The stages that an action can lead to, if it does not leave the case where it is or forget it."""
