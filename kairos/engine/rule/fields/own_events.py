"""What Kairos itself did, as a step: `sent: cart_left`, `entered: vip`, also in `absent` and `not_next`."""

from __future__ import annotations

from kairos.engine.rule.fields.common import NAMED, SUBJECT
from kairos.engine.rule.fields.types import Field, ListOf, Record

SHORT_FORMS: dict[str, tuple[str, str]] = {
    **{status: (f"message.{status}", "activity") for status in ("sent", "delivered", "read", "clicked", "failed")},
    "goal": ("message.goal", "activity"),
    "entered": ("crowd.entered", "crowd"),
    "left": ("crowd.left", "crowd"),
}
"""Short form -> the event type that it means, and the prop that must be what is written behind it."""

_ACTIVITIES = ListOf(SUBJECT, shortest=1, one=True)
_CROWDS = ListOf(NAMED, shortest=1, one=True)

SHORT_FIELDS = (
    Field("sent", _ACTIVITIES, "Short form: a message of this activity has gone."),
    Field("delivered", _ACTIVITIES, "Short form: it has arrived."),
    Field("read", _ACTIVITIES, "Short form: it was read."),
    Field("clicked", _ACTIVITIES, "Short form: it was clicked."),
    Field("failed", _ACTIVITIES, "Short form: nothing came of it."),
    Field("goal", _ACTIVITIES, "Short form: the goal of this activity was met."),
    Field("entered", _CROWDS, "Short form: the user has come into this crowd."),
    Field("left", _CROWDS, "Short form: the user has left this crowd."),
)

OWN_EVENT = Record(
    "own event",
    "What Kairos did, in a step that it must not have done.",
    SHORT_FIELDS,
    choose=tuple(SHORT_FORMS),
)
