"""`trigger` of an activity: one event, a count, a pattern of steps (with `absent` and `not_next`), or a schedule."""

from __future__ import annotations

from kairos.engine.rule.fields.common import CONDITION, EVENTS, NAMED, NAMED_PROP
from kairos.engine.rule.fields.own_events import OWN_EVENT, SHORT_FIELDS, SHORT_FORMS
from kairos.engine.rule.fields.schedule import SCHEDULE
from kairos.engine.rule.fields.types import REQUIRED, Boolean, Choice, Duration, Field, Integer, ListOf, OneOf, Record

MOST_TIMES = 10_000
MOST_STEPS = 100

QUANTIFIER = OneOf(
    (
        Integer(1, MOST_TIMES),
        Record(
            "times",
            "How often a step repeats. Without `max` the repetition is open; `min: 0` makes the step optional.",
            (
                Field("min", Integer(0, MOST_TIMES), "At least so often.", REQUIRED),
                Field("max", Integer(1, MOST_TIMES), "At most so often."),
            ),
        ),
    )
)

AFTER_MATCH = OneOf(
    (
        Choice(("exclusive", "no_skip", "skip_past_last", "skip_to_next")),
        Record(
            "after_match",
            "Goes on at the first or last event of a step of the match.",
            (
                Field("skip_to_first", NAMED, "Drops the runs that started before this step's first event."),
                Field("skip_to_last", NAMED, "Drops the runs that started before this step's last event."),
            ),
            choose=("skip_to_first", "skip_to_last"),
        ),
    )
)

_AS = Field("as", NAMED, "How later steps, `data` and `send` refer to it.", shown_default="the (first) event type")
_WHERE = Field(
    "where",
    CONDITION,
    "Condition; bare names are this event's props, `address.city` and `items.0.sku` what lies inside them, `name.prop` "
    "those of an earlier step.",
)
_TIMES = Field("times", QUANTIFIER, "How often.")
_PER = Field("per", NAMED_PROP, "A prop: one independent run per value of it, inside one user.")
_WITHIN = Field("within", Duration(), "A match spans less than this.")
_AFTER = Field("after_match", AFTER_MATCH, "What happens to the other runs once a match is there.", "exclusive")

_NOT_EVENTS = OneOf((EVENTS, OWN_EVENT))

STEP = Record(
    "step",
    "One step of a pattern: `event`, `absent`, `not_next`, or something that Kairos itself did.",
    (
        Field("event", EVENTS, "An event of this type, or of one of these."),
        Field("absent", _NOT_EVENTS, "No such event until the next step; as the last step: until `within` has passed."),
        Field("not_next", _NOT_EVENTS, "The very next event is not of this type."),
        *SHORT_FIELDS,
        _AS,
        _WHERE,
        Field("next", Choice(("strict", "relaxed", "any")), "Contiguity with the step before.", "relaxed"),
        _TIMES,
        Field("optional", Boolean(), "The step may be missing.", False),
        Field("greedy", Boolean(), "A repetition takes as many as it can.", False),
        Field("inside", Choice(("relaxed", "consecutive", "any")), "Contiguity between repetitions.", "relaxed"),
        Field("until", CONDITION, "Stops an open repetition."),
        Field(
            "within",
            Duration(),
            "Sooner than this after the last event of the steps before; of an `absent` at the end it is the deadline.",
        ),
    ),
    choose=("event", "absent", "not_next", *SHORT_FORMS),
)

TRIGGER = Record(
    "trigger",
    "The moment: one event, a number of events, a pattern of steps, or a time of the calendar.",
    (
        Field("event", EVENTS, "Short form: this one event."),
        Field("count", EVENTS, "Short form: this event, `times` times."),
        Field("pattern", ListOf(STEP, 1, longest=MOST_STEPS), f"The steps, in order; {MOST_STEPS} at most."),
        Field("schedule", SCHEDULE, "The calendar: dates, times of day, blasts."),
        Field("crowd", NAMED, "Of a schedule: whom it is for, as of the slot.", shown_default="everyone known"),
        _PER,
        _AS,
        _WHERE,
        _TIMES,
        _WITHIN,
        Field("within_kind", Choice(("first_last", "previous_current")), "What `within` bounds.", "first_last"),
        _AFTER,
    ),
    choose=("event", "count", "pattern", "schedule"),
)

# Which keys go with which form of trigger and kind of step.
TRIGGER_KEYS = {
    "event": ("event", "as", "where", "per", "after_match"),
    "count": ("count", "as", "where", "times", "within", "per", "after_match"),
    "pattern": ("pattern", "per", "within", "within_kind", "after_match"),
    "schedule": ("schedule", "crowd"),
}
