"""`trigger: {schedule: ...}` and `pace`: when a calendar begins an activity, and how fast its messages leave."""

from __future__ import annotations

from kairos.engine.policy.spec import DAYS
from kairos.engine.rule.fields.common import ZONE
from kairos.engine.rule.fields.types import (
    Choice,
    Clock,
    Duration,
    Field,
    Integer,
    ListOf,
    Moment,
    OneOf,
    Percent,
    Record,
    Text,
)
from kairos.engine.rule.text.scalars import DURATION

_PROFILE_FIELD = Text("a field of the profile, such as profile.birthday", r"profile\.[A-Za-z_][A-Za-z0-9_]*")
RATE = Text("so many in so long, such as 500 per 1s", rf"[1-9][0-9]{{0,6}} per (?=[0-9]){DURATION}")

SCHEDULE = Record(
    "schedule",
    "When the calendar begins the activity, for everyone or for a crowd. The step is named `slot`.",
    (
        Field("at", Moment(), "Once, at this local time: a blast."),
        Field("daily", Clock(), "Every day at this time."),
        Field("weekly", ListOf(Choice(DAYS), 1, one=True), "Every week on these days."),
        Field("monthly", Integer(1, 31), "Every month on this day; on its last, where the month is shorter."),
        Field("yearly", _PROFILE_FIELD, "Every year on the day of this field; Feb 29 is Feb 28 in other years."),
        Field("date", _PROFILE_FIELD, "On the day that this field says, once for each value of it."),
        Field("time", Clock(), "The time of day, where a day is all that is said."),
        Field("before", Duration(), "So many whole days earlier than the field's day."),
        Field("after", Duration(), "So many whole days later."),
        Field("timezone", OneOf((Choice(("user",)), ZONE)), "`user`: where each user is; a zone: one instant for all.",
              "user"),
        Field("late", Choice(("skip", "now")), "What becomes of a zone where the time is already past when `at` is "
              "published.", "skip"),
    ),
    choose=("at", "daily", "weekly", "monthly", "yearly", "date"),
)  # fmt: skip

PACE = Record(
    "pace",
    "How fast the messages of a schedule leave, and what stops them.",
    (
        Field("rate", RATE, "So many at the slot, and as many after each such time.", shown_default="all at once"),
        Field("waves", ListOf(Percent(), 1), "Growing shares of the people; the last is 100%."),
        Field("every", Duration(), "From one wave to the next."),
        Field("stop_if", Record("stop_if", "Pauses the activity when the receipts of the run say so.", (
            Field("failed", Percent(), "This share of what was sent has failed."),
            Field("unsubscribed", Percent(), "This share of the people reached has unsubscribed."),
        )), "When to stop."),
        Field("until", Duration(), "Whoever has not had his turn so long after the slot is `expired`.", 21_600_000,
              shown_default="6h"),
    ),
)  # fmt: skip
