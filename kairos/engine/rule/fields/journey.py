"""`journeys/<theme>/<journey>.yaml`: every field, its type, default and meaning."""

from __future__ import annotations

from kairos.engine.rule.fields.activity import ACTIVITY, MATCHING_FIELDS, SENDS, STATES
from kairos.engine.rule.fields.common import CONDITION, EVENTS, FREE_NAME, NAMED, VALUE
from kairos.engine.rule.fields.own_events import SHORT_FIELDS, SHORT_FORMS
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Choice,
    Clock,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    Named,
    OneOf,
    PositiveNumber,
    Record,
    Text,
    Type,
)

MOST_STEPS = 50
MOST_LEVELS = 5
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = ("send", "wait", "wait_for", "choose", "split", "exit")


def _step() -> Type:
    return JOURNEY_STEP


_STEPS = ListOf(Named("journey step", _step))
_EVENT = (
    Field("event", EVENTS, "An event of this type, or of one of these."),
    *SHORT_FIELDS,
    Field("where", CONDITION, "Bare names are this event's props, `name.prop` those of a step."),
)

WAIT = Record(
    "wait",
    "Calendar days, a time of day, or a date of the profile, all where the user is. What is past is not waited for.",
    (
        Field("days", Integer(1, 365), "So many calendar days: from Monday evening 2 days are Wednesday."),
        Field("at", Clock(), "Then at this time of day; without `days`: the next such time."),
        Field("on", ListOf(Choice(WEEKDAYS), 1, one=True), "On one of these days of the week."),
        Field("until", Text("a field of the profile (profile.trial_ends)", r"profile\.[A-Za-z_][A-Za-z0-9_]*"),
              "The date or time in this field of the profile."),
        Field("before", Duration(), "So long before `until`."),
        Field("after", Duration(), "So long after `until`."),
    ),
)  # fmt: skip

WAIT_FOR = Record(
    "wait_for",
    "An event that is waited for, and for how long.",
    (*_EVENT, Field("within", Duration(), "At the end of this time `otherwise` is taken.", REQUIRED)),
    choose=("event", *SHORT_FORMS),
)

BRANCH = Record(
    "branch",
    "One way of a `choose`.",
    (
        Field("when", CONDITION, "When it is taken; without it: whenever none before it is."),
        Field("steps", _STEPS, "What is done.", REQUIRED),
    ),
)

ARM = Record(
    "arm",
    "One way of a `split`; sticky per user.",
    (
        Field("name", NAMED, "For people.", REQUIRED),
        Field("weight", PositiveNumber(), "Its share, relative to the other weights.", REQUIRED),
        Field("steps", _STEPS, "What is done; [] is nothing.", REQUIRED),
    ),
)

_ON_SUPPRESS = Choice(("go_on", "leave"))

JOURNEY_STEP = Record(
    "journey step",
    "One step. The journey waits at `wait`, `wait_for` and at a message until it has gone; the rest takes no time.",
    (
        Field("id", NAMED, "Its name: in records, in conditions, and for whoever is inside while it is edited."),
        Field("when", CONDITION, "False: the journey goes past this step."),
        Field("send", SENDS, "A message, as in an activity. It needs an id."),
        Field("data", MapOf("name", FREE_NAME, VALUE), "More values for the message, over those of the journey."),
        *MATCHING_FIELDS,
        Field("on_suppress", _ON_SUPPRESS, "What follows a message that is suppressed.", shown_default="the journey's"),
        Field("wait", OneOf((Duration(), WAIT)), "So long, counted from the end of the step before."),
        Field("wait_for", WAIT_FOR, "An event, and for how long."),
        Field("otherwise", _STEPS, "What is done where the event of `wait_for` did not come."),
        Field("choose", ListOf(BRANCH, 1), "The first branch whose condition holds; none: on."),
        Field("split", ListOf(ARM, 1), "Dealt out at random, in these shares."),
        Field("exit", NAMED, "The journey ends here, for this reason."),
    ),
    choose=KINDS,
)

EXIT = Record("exit", "An event that ends the journey at once.", _EVENT, choose=("event", *SHORT_FORMS))

REENTER = OneOf(
    (
        Choice(("never", "each")),
        Record("reenter", "Again, after a while.", (Field("after", Duration(), "Counted from the end.", REQUIRED),)),
    )
)


def _of_activity(*names: str) -> tuple[Field, ...]:
    """What is said of a journey as it is of an activity."""
    return tuple(field for name in names if (field := ACTIVITY.field(name)) is not None)


_STATE = Field("state", Choice(tuple(state for state in STATES if state != "shadow")), "Life cycle.", "draft")
_HEAD = (
    *_of_activity("from", "title", "owner"),
    _STATE,
    *_of_activity("priority", "class", "topic", "active", "on_change", "trigger", "audience"),
)
_BODY = _of_activity("limits", "data", "goal")

JOURNEY: Type = Record(
    "journey",
    "One journey a file: `journeys/<theme>/<journey>.yaml`.",
    (
        Field("journey", NAMED, "Its name, that of the file.", REQUIRED),
        *_HEAD,
        Field("reenter", REENTER, "Whether a user comes in again: never, some time after the end, or each time, "
              "side by side for each value of `per`.", "never"),
        Field("exit", ListOf(EXIT, one=True), "Events that end it at once, whatever it waits for."),
        *_BODY,
        Field("on_suppress", _ON_SUPPRESS, "What follows a message that is suppressed.", "go_on"),
        Field("steps", ListOf(JOURNEY_STEP, 1), f"What happens, in order; {MOST_STEPS} at most in all.", REQUIRED),
    ),
)  # fmt: skip
