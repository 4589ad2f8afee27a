"""The functions that an expression can call: how many arguments of which kinds, and the type of what comes back.

One table serves the grammar, the checks, the compiler and the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kairos.engine.expression import times, values


class Function(msgspec.Struct, frozen=True):
    """`takes`: the types of the arguments, the last one standing for all that follow.

    `needs` names what the implementation gets after its arguments: `zone`, or `now` and `zone`. `run` is None where the
    compiler writes the code itself.
    """

    takes: tuple[str, ...]
    gives: str
    about: str
    run: Callable[..., Any] | None = None
    least: int = 1
    most: int = 1
    needs: tuple[str, ...] = ()
    literal: int | None = None  # index of the argument that must be a text in quotes

    def count(self) -> str:
        if self.most >= MANY:
            return f"at least {self.least} argument{'s' if self.least > 1 else ''}"
        if self.least != self.most:
            return f"{self.least} or {self.most} arguments"
        return f"{self.least} argument{'s' if self.least > 1 else ''}"


MANY = 1_000_000

FUNCTIONS: dict[str, Function] = {
    "len": Function(("sized",), "integer", "characters of a text, elements of a list", values.length),
    "lower": Function(("string",), "string", "in small letters", values.lower),
    "upper": Function(("string",), "string", "in capital letters", values.upper),
    "matches": Function(
        ("string", "string"), "boolean", "the RE2 regular expression is found in the text", None, 2, 2, literal=1
    ),
    "starts_with": Function(("string", "string"), "boolean", "the text starts so", values.starts_with, 2, 2),
    "ends_with": Function(("string", "string"), "boolean", "the text ends so", values.ends_with, 2, 2),
    "contains": Function(
        ("container", "any"), "boolean", "the text has this part, the list this element", values.contains, 2, 2
    ),
    "abs": Function(("number",), "number", "without the sign", values.absolute),
    "round": Function(("number", "integer"), "number", "to an integer, or to so many digits", values.rounded, 1, 2),
    "coalesce": Function(("any",), "any", "the first that is not null", values.coalesce, 1, MANY),
    "exists": Function(("any",), "boolean", "is not null", None),
    "hour": Function(("time",), "integer", "0 to 23, in the user's zone", times.hour, needs=("zone",)),
    "weekday": Function(("time",), "integer", "0 is Monday, in the user's zone", times.weekday, needs=("zone",)),
    "date": Function(("time",), "date", "the date in the user's zone", times.date, needs=("zone",)),
    "days_since": Function(
        ("time",), "integer", "whole days until the event, rounded down", times.days_since, needs=("now", "zone")
    ),
    "in_crowd": Function(("string",), "boolean", "the user is a member of the crowd", None, literal=0),
}

PROGRESS: dict[str, tuple[str, int, str]] = {
    "sent": (">=", 1, "the message has gone to the user"),
    "delivered": (">=", 2, "it has arrived"),
    "read": (">=", 3, "it was read"),
    "clicked": (">=", 4, "it was clicked"),
    "skipped": ("==", 0, "the journey went on without sending it: its `when` was false, or it was suppressed"),
}
"""Function of a journey's message -> how its progress compares: 0 skipped, 1 sent, 2 delivered, 3 read, 4 clicked.

Called with the bare id of the step. These words stay free for props and steps.
"""
SKIPPED = 0

COUPON = "coupon"
"""`coupon("spring")`, alone in `data`: a code of the pool. The word stays free for props and steps."""

AGGREGATES: dict[str, Callable[..., Any]] = {
    "sum": values.total,
    "min": values.smallest,
    "max": values.largest,
    "avg": values.average,
}
