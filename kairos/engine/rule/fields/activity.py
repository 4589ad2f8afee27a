"""`activities/<theme>/<activity>.yaml`: every field, its type, default and meaning."""

from __future__ import annotations

from kairos.engine.rule.fields.common import (
    CHANNEL,
    CONDITION,
    EVENTS,
    FREE_NAME,
    NAMED,
    NAMED_PROP,
    NAMES,
    VALUE,
    ZONE,
)
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Boolean,
    Choice,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    Moment,
    OneOf,
    Percent,
    PositiveNumber,
    Record,
    Text,
)

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
    "where", CONDITION, "Condition; bare names are this event's props, `name.prop` those of an earlier step."
)
_TIMES = Field("times", QUANTIFIER, "How often.")
_PER = Field("per", NAMED_PROP, "A prop: one independent run per value of it, inside one user.")
_WITHIN = Field("within", Duration(), "A match spans less than this.")
_AFTER = Field("after_match", AFTER_MATCH, "What happens to the other runs once a match is there.", "exclusive")

STEP = Record(
    "step",
    "One step of a pattern: `event`, `absent` or `not_next`.",
    (
        Field("event", EVENTS, "An event of this type, or of one of these."),
        Field("absent", EVENTS, "No such event until the next step; as the last step: until `within` has passed."),
        Field("not_next", EVENTS, "The very next event is not of this type."),
        _AS,
        _WHERE,
        Field("next", Choice(("strict", "relaxed", "any")), "Contiguity with the step before.", "relaxed"),
        _TIMES,
        Field("optional", Boolean(), "The step may be missing.", False),
        Field("greedy", Boolean(), "A repetition takes as many as it can.", False),
        Field("inside", Choice(("relaxed", "consecutive", "any")), "Contiguity between repetitions.", "relaxed"),
        Field("until", CONDITION, "Stops an open repetition."),
    ),
    choose=("event", "absent", "not_next"),
)

TRIGGER = Record(
    "trigger",
    "The moment: one event, a number of events, or a pattern of steps.",
    (
        Field("event", EVENTS, "Short form: this one event."),
        Field("count", EVENTS, "Short form: this event, `times` times."),
        Field("pattern", ListOf(STEP, 1, longest=MOST_STEPS), f"The steps, in order; {MOST_STEPS} at most."),
        _PER,
        _AS,
        _WHERE,
        _TIMES,
        _WITHIN,
        Field("within_kind", Choice(("first_last", "previous_current")), "What `within` bounds.", "first_last"),
        _AFTER,
    ),
    choose=("event", "count", "pattern"),
)

# Which keys go with which form of trigger and kind of step.
TRIGGER_KEYS = {
    "event": ("event", "as", "where", "per", "after_match"),
    "count": ("count", "as", "where", "times", "within", "per", "after_match"),
    "pattern": ("pattern", "per", "within", "within_kind", "after_match"),
}

SEND = Record(
    "send",
    "One way to reach the user. The next entry is tried when this one failed or had no receipt in time.",
    (
        Field("channel", CHANNEL, "Where it goes.", REQUIRED),
        Field("template", NAMED, "The content: `templates/<template>.<channel>.liquid`."),
        Field("after", Duration(), "A fallback waits so long for the receipt; without it, it is used on failure only."),
        Field(
            "unless", Choice(("delivered", "read", "clicked")), "The receipt that makes it unnecessary.", "delivered"
        ),
        Field("data", MapOf("name", FREE_NAME, VALUE), "More template values, over those of the activity."),
    ),
)
SENDS = ListOf(SEND, 1)

ACTIVE = Record(
    "active",
    "When the activity runs; `from` is in, `until` is out.",
    (
        Field("from", Moment(), "First moment."),
        Field("until", Moment(), "End."),
        Field("timezone", ZONE, "Of these dates, and of users without one of their own.", shown_default="the policy's"),
    ),
)

AUDIENCE = Record(
    "audience",
    "Who may get it. All of these together; an empty list is no condition.",
    (
        Field("in", NAMES, "Member of all of these crowds."),
        Field("any_of", NAMES, "Member of at least one."),
        Field("not_in", NAMES, "Member of none."),
        Field("where", CONDITION, "A condition on the person: `profile.x`, `metric.x`."),
        Field(
            "control_group",
            OneOf((Percent(), NAMED)),
            "A sticky share, or a crowd, that is decided for and not contacted.",
        ),
    ),
)

LIMITS = Record(
    "limits",
    "How often, how late, how much.",
    (
        Field("once", OneOf((Choice(("occurrence", "ever")), Duration())), "At most once: per match, ever, in so long.",
              "occurrence"),
        Field("caps", NAMES, "Caps of policy.yaml to keep to.", shown_default="the policy's `default_caps`"),
        Field("counts_toward", NAMES, "Caps that its sends use up.", shown_default="the same as `caps`"),
        Field("send_before", Duration(), "Later than this after the match it is pointless."),
        Field("quiet_hours", Choice(("hold", "drop", "ignore")), "What quiet hours do to a send.", "hold"),
        Field("budget", Record("budget", "Over all users, never overshot.",
                               (Field("sends", Integer(1), "So many messages.", REQUIRED),)), "What it may spend."),
    ),
)  # fmt: skip

GOAL = Record(
    "goal",
    "What it is for. A met goal cancels what is held or not yet sent.",
    (
        Field("event", EVENTS, "The event that meets it.", REQUIRED),
        Field("where", CONDITION, "Bare names are the goal event's props, `name.prop` those of a step."),
        Field("within", Duration(), "Counted from the send.", REQUIRED),
        Field("value", VALUE, "What it brought: a number."),
    ),
)

VARIANT = Record(
    "variant",
    "One arm of an A/B test; sticky per user.",
    (
        Field("name", NAMED, "Appears in the records.", REQUIRED),
        Field("weight", PositiveNumber(), "Its share, relative to the other weights.", REQUIRED),
        Field("send", SENDS, "As in the activity.", REQUIRED),
    ),
)

ACTIVITY = Record(
    "activity",
    "One activity a file: `activities/<theme>/<activity>.yaml`.",
    (
        Field("activity", NAMED, "Its name, that of the file.", REQUIRED),
        Field("title", Text(longest=200), "For people.", ""),
        Field("owner", Text(longest=200), "Who answers for it.", ""),
        Field("state", Choice(("draft", "submitted", "approved", "live", "paused", "ended")), "Life cycle.", "draft"),
        Field("priority", Integer(0, 100), "Higher goes first when activities compete.", 50),
        Field("active", ACTIVE, "Dates."),
        Field(
            "on_change", Choice(("keep", "restart", "drain")), "What a new version does to matches in flight.", "keep"
        ),
        Field("trigger", TRIGGER, "The moment.", REQUIRED),
        Field("audience", AUDIENCE, "The people."),
        Field("limits", LIMITS, "The restraint."),
        Field("data", MapOf("name", FREE_NAME, VALUE), "Values for templates and records: expressions."),
        Field("send", SENDS, "The message. Without it the activity is a watch: it contacts nobody."),
        Field("variants", ListOf(VARIANT, 1), "A/B test, in place of `send`."),
        Field("goal", GOAL, "The purpose."),
    ),
)
