"""`activities/<theme>/<activity>.yaml`: every field, its type, default and meaning."""

from __future__ import annotations

from kairos.engine.policy.spec import DAYS
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
from kairos.engine.rule.fields.schedule import PACE
from kairos.engine.rule.fields.trigger import TRIGGER
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Anything,
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

STATES = ("draft", "submitted", "approved", "shadow", "live", "paused", "ended")

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

ONCE_PER = Record(
    "once",
    "At most once in so long for each value of a prop: of the last matched event, or the trigger's own `per`.",
    (
        Field("per", NAMED_PROP, "The prop, such as product_id.", REQUIRED),
        Field("in", Duration(), "Counted from the send.", REQUIRED),
    ),
)

SEND_WINDOW = Record(
    "send_window",
    "The only hours to send in, [from, to) on the user's clock; what comes at another time is held until then.",
    (
        Field("from", Clock(), "First minute.", REQUIRED),
        Field("to", Clock(), "End; over midnight where it is earlier than `from`.", REQUIRED),
        Field("days", ListOf(Choice(DAYS), 1, one=True), "On these days.", DAYS, shown_default="every day"),
    ),
)

LIMITS = Record(
    "limits",
    "How often, how late, how much.",
    (
        Field("once", OneOf((Choice(("occurrence", "ever")), Duration(), ONCE_PER)),
              "At most once: per match, ever, in so long, in so long for each value.", "occurrence"),
        Field("caps", NAMES, "Caps of policy.yaml to keep to.", shown_default="the policy's `default_caps`"),
        Field("counts_toward", NAMES, "Caps that its sends use up.", shown_default="the same as `caps`"),
        Field("send_before", Duration(), "Later than this after the match it is pointless."),
        Field("quiet_hours", Choice(("hold", "drop", "ignore")), "What quiet hours do to a send.", "hold"),
        Field("send_window", SEND_WINDOW, "The hours and days to send in; asked after quiet hours."),
        Field("budget", OneOf((
            Record("budget", "Over all users, never overshot.",
                   (Field("sends", Integer(1), "So many messages.", REQUIRED),)),
            NAMED,
        )), "What it may spend: so many messages, or a shared budget of policy.yaml (`budgets`) by its name."),
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

_NUMBER = OneOf((Number(), VALUE))

WORTH = Record(
    "worth",
    "What a message is worth, for the score of its group in `matching`. Numbers, or expressions as in `data`.",
    (
        Field("value", _NUMBER, "What it is worth that a user reaches the goal: 30, `order.amount`."),
        Field("uplift", OneOf((Number(), Choice(("measured",)), VALUE)),
              "By how much the message raises the share of users who reach the goal: 0.02, `profile.score_x`, or "
              "`measured`: what `kairos learn` has found."),
        Field("cost", _NUMBER, "What one message costs.", 0),
    ),
)  # fmt: skip
MATCHING_FIELDS = (
    Field("matching", NAMED, "The group of policy.yaml in which its messages compete for a user."),
    Field("worth", WORTH, "What a message is worth, where it competes or spends a shared budget."),
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

CANDIDATE = Record(
    "candidate",
    "One of the messages of which the best is looked for.",
    (
        Field("name", NAMED, "Appears in the records.", REQUIRED),
        Field("send", SENDS, "As in the activity.", REQUIRED),
    ),
)

PRIOR = Record(
    "prior",
    "What is believed before anybody has seen one of the messages.",
    (
        Field("rate", Percent(), "So many reach the goal.", REQUIRED),
        Field("users", Integer(1), "As sure as after so many users.", REQUIRED),
    ),
)

BEST = Record(
    "best",
    "Weights that `kairos learn` finds: the better a variant has done, the more users get it.",
    (
        Field("choose", Choice(("best",)), "By the goal's rate.", REQUIRED),
        Field("of", ListOf(CANDIDATE, 2), "The variants.", REQUIRED),
        Field("explore", Percent(), "This share of users is spread evenly, however good the best one is.", 0.1,
              shown_default="10%"),
        Field("prior", PRIOR, "What is believed at first.", shown_default="nothing: every rate is as likely"),
    ),
)  # fmt: skip

GUARDRAILS = Record(
    "guardrails",
    "Shares that end a rollout, once 20 messages have been heard of.",
    (
        Field("failed", Percent(), "Of its messages have failed.", 0.05, shown_default="5%"),
        Field("unsubscribed", Percent(), "Of its people have unsubscribed since they were contacted.", 0.005,
              shown_default="0.5%"),
        Field("regret", Percent(), "Of its messages should not have gone (`too_late` for a recall).", 0.01,
              shown_default="1%"),
    ),
)  # fmt: skip


FROM = Record(
    "from",
    "The plan that it was made from; `kairos plans use` notes it.",
    (
        Field("plan", NAMED, "Its name.", REQUIRED),
        Field("version", Text("16 hex digits", r"[0-9a-f]{16}"), "Of what the plan meant then.", REQUIRED),
        Field("parameters", MapOf("parameter", NAMED, Anything()), "What was put in."),
    ),
)

ACTIVITY = Record(
    "activity",
    "One activity a file: `activities/<theme>/<activity>.yaml`.",
    (
        Field("activity", NAMED, "Its name, that of the file.", REQUIRED),
        Field("from", FROM, "Where it came from."),
        Field("title", Text(longest=200), "For people.", ""),
        Field("owner", Text(longest=200), "Who answers for it.", ""),
        Field("state", Choice(STATES), "Life cycle.", "draft"),
        Field("priority", Integer(0, 100), "Higher goes first when activities compete.", 50),
        Field(
            "class",
            Choice(("marketing", "service")),
            "`service`, what a customer has to be told, goes to those too "
            "who have unsubscribed from the channel; never to the black list.",
            "marketing",
        ),
        Field("topic", NAMED, "Of topics.yaml: who has not agreed to it, or said no, gets nothing."),
        Field(
            "shadow",
            Text("a version of this activity, 16 hex digits", "[0-9a-f]{16}", loose=True),
            "The version that decides beside this one, on trial: it contacts nobody. `state: shadow`: all of it is.",
        ),
        Field(
            "rollout",
            Percent(),
            "This share of users gets it, the others the version before.",
            shown_default="everyone",
        ),
        Field("guardrails", GUARDRAILS, "Of a rollout: when the version before is back for everyone."),
        Field("active", ACTIVE, "Dates."),
        Field(
            "on_change", Choice(("keep", "restart", "drain")), "What a new version does to matches in flight.", "keep"
        ),
        Field("trigger", TRIGGER, "The moment.", REQUIRED),
        Field("pace", PACE, "Of a schedule: how fast its messages leave."),
        Field("audience", AUDIENCE, "The people."),
        Field("limits", LIMITS, "The restraint."),
        Field("data", MapOf("name", FREE_NAME, VALUE), "Values for templates and records: expressions."),
        Field("send", SENDS, "The message. Without it the activity is a watch: it contacts nobody."),
        Field("variants", OneOf((ListOf(VARIANT, 1), BEST)), "A/B test, or the best of several, in place of `send`."),
        *MATCHING_FIELDS,
        Field("goal", GOAL, "The purpose."),
    ),
)
