"""`policy.yaml` and `topics.yaml`: every field. Frequency caps, quiet hours, lists, dedup; topics of consent."""

from __future__ import annotations

from kairos.engine.rule.fields.common import (
    CHANNEL,
    NAMED,
    NAMES,
    USER,
    VALUE,
    ZONE,
)
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Choice,
    Clock,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    Moment,
    Number,
    OneOf,
    Percent,
    PositiveNumber,
    Record,
    Text,
)

_REDIS_OR_USERS = OneOf((Choice(("redis",)), ListOf(USER)))

CAP_RULE = Record(
    "cap rule",
    "At most `max` sends per user in `per`.",
    (
        Field("max", Integer(1), "So many sends.", REQUIRED),
        Field("per", Duration(), "In so long; with `window: calendar` 1d or 7d.", REQUIRED),
        Field("window", Choice(("rolling", "calendar")), "Counted back from now, or in the user's own day or week.",
              "rolling"),
        Field("channel", CHANNEL, "Counts and limits this channel only."),
    ),
)  # fmt: skip

_EXCEED = OneOf(
    (
        Choice(("drop",)),
        Record(
            "on_exceed", "Hold until a slot is free.", (Field("retry_for", Duration(), "At most so long.", REQUIRED),)
        ),
    )
)

CAP = Record(
    "cap",
    "A frequency cap: all of its rules apply.",
    (
        Field("rules", ListOf(CAP_RULE, 1), "The rules.", REQUIRED),
        Field("on_exceed", _EXCEED, "What happens to a send that is too many.", "drop"),
    ),
)

GROUP = Record(
    "group",
    "Activities that name it in `matching` compete: of those that may go to a user, the best do.",
    (
        Field("score", VALUE, "The better, the higher: an expression over `uplift`, `value` and `cost` of each "
              "candidate's `worth`, `metric.x`, `profile.x`.", "uplift * value - cost"),
        Field("collect", Duration(zero=True), "The first candidate opens a window of this length, at whose end all in "
              "it are compared.", 0, shown_default="0s: those of one instant"),
        Field("choose", Integer(1), "So many win.", 1),
        Field("per", Duration(), "So many in any span of this length, of those compared before too.",
              shown_default="each time"),
        Field("floor", Number(), "A lower score is worth no message, even where nobody else wants the slot.",
              shown_default="there is none"),
        Field("explore", Percent(), "This share of the choices is left to chance (a hash), so that others are tried "
              "too.", 0.0, shown_default="0%"),
        Field("losers", Choice(("drop", "retry")), "drop: it is suppressed; retry: it is held until the next slot is "
              "free.", "drop"),
    ),
)  # fmt: skip

SHARED_BUDGET = Record(
    "shared budget",
    "Money that the messages of several activities spend together (`limits: {budget: NAME}`).",
    (
        Field("cost", PositiveNumber(), "So much, of what `worth: {cost: ...}` counts; never overshot.", REQUIRED),
        Field("until", Moment(), "It is to last until then; afterwards nothing is spent.", shown_default="no end"),
    ),
)

POLICY = Record(
    "policy",
    "`policy.yaml`: what holds for every activity.",
    (
        Field("timezone", ZONE, "Used where profile.timezone is absent.", "UTC"),
        Field("quiet_hours", Record("quiet_hours", "[from, to), over midnight where `from` is later.", (
            Field("from", Clock(), "First minute.", REQUIRED),
            Field("to", Clock(), "End.", REQUIRED),
        )), "When nobody is woken."),
        Field("default_caps", NAMES, "Caps of every activity that names none.", ()),
        Field("caps", MapOf("cap", NAMED, CAP), "The frequency caps, by name."),
        Field("lists", Record("lists", "Black and white list.", (
            Field("black", _REDIS_OR_USERS, "Never contacted."),
            Field("white", _REDIS_OR_USERS, "Bypasses caps and quiet hours, never the black list."),
        )), "Users with a rule of their own."),
        Field("dedup", Duration(), "So long the same (user, source, id) is known to be a repetition, a year at most.",
              86_400_000, shown_default="1d"),
        Field("matching", MapOf("group", NAMED, GROUP), "Groups of activities of which the best is chosen, by name."),
        Field("budgets", MapOf("budget", NAMED, SHARED_BUDGET), "Budgets of money that activities share, by name."),
    ),
)  # fmt: skip

TOPIC = Record(
    "topic",
    "What people can agree to, or leave, by itself.",
    (
        Field("title", Text(longest=200), "For people.", ""),
        Field("default", Choice(("opt_in", "opt_out")), "opt_in: out until a yes; opt_out: in until a no.",
              REQUIRED),
    ),
)  # fmt: skip
TOPICS = MapOf("topic", NAMED, TOPIC)
