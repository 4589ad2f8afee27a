"""`measures.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import CHANNEL, EVENTS, NAMED, NAMED_PROP, RULE, VALUE
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Choice,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    OneOf,
    Percent,
    PositiveNumber,
    Record,
    Text,
)

DAY = 86_400_000
MOST_DAYS = 3_650

_EVENT = Field("event", EVENTS, "An event of this type, or of one of these.", REQUIRED)
_WHERE = Field("where", RULE, "Which of these events; reads the event and its props.")
_VALUE = Field("value", VALUE, "What it is worth: a number of the event.")
_PLACE = Field("place", NAMED_PROP, "The prop that names the place.", REQUIRED)
_ACTIVE = Field("active", EVENTS, "The events that count as being active.", REQUIRED)
_ACTIVITY = Field("activity", NAMED, "Which activity.", REQUIRED)
_DAY = Integer(0, MOST_DAYS)

EVENT_PART = Record("counted event", "An event, narrowed.", (_EVENT, _WHERE))
VALUED_EVENT = Record("valued event", "An event, narrowed, and what it is worth.", (_EVENT, _WHERE, _VALUE))
PLACED_EVENT = Record("placed event", "An event at a place.", (_EVENT, _WHERE, _PLACE))

_STARTS = (
    Field("first", EVENTS, "The first such event of a user's life."),
    Field("first_in_range", EVENTS, "The first from `--from` on."),
    Field("each", EVENTS, "Every such event is a start of its own."),
)
START = Record(
    "start", "What begins the count of days.", (*_STARTS, _WHERE), choose=("first", "first_in_range", "each")
)

METRIC = Record(
    "lift metric",
    "What is compared, a user each.",
    (
        Field("rate", EVENTS, "Whether there was such an event."),
        Field("count", EVENTS, "How many such events there were."),
        Field("sum", VALUE, "The sum of a number of the events `of`."),
        Field("of", EVENTS, "The events whose number it is; only with `sum`."),
        _WHERE,
    ),
    choose=("rate", "count", "sum"),
)

LIFT = Record(
    "lift",
    "What the activity changed: its users beside those of its control group, from the moment of entry.",
    (
        _ACTIVITY,
        Field("metric", METRIC, "What is compared.", shown_default="the activity's goal"),
        Field("within", Duration(), "Counted so long after the entry.", shown_default="that of the goal"),
        Field("cuped", Duration(), "Corrected by the same metric, so long before the entry."),
        Field("decide_at", Integer(2), "So many users are enough to decide; said beforehand, never the current number.",
              5_000),
    ),
)  # fmt: skip
RETENTION = Record(
    "retention",
    "Who came back, days after a start.",
    (
        Field("start", START, "Who is counted, and from when.", REQUIRED),
        Field("return", EVENTS, "The events that count as coming back.", REQUIRED),
        _WHERE,
        Field("days", ListOf(_DAY), "Came back on this very day.", ()),
        Field("unbounded", ListOf(_DAY), "Came back on this day or later.", ()),
        Field("brackets", ListOf(ListOf(_DAY, 2, longest=2)), "Came back from the first to the last day.", ()),
        Field("mode", Choice(("calendar", "rolling")), "Local dates, or whole 24 hours.", "calendar"),
    ),
)
ACTIVATION = Record(
    "activation",
    "Who did something often enough, soon enough after a start.",
    (
        Field("start", START, "Who is counted, and from when.", REQUIRED),
        _EVENT,
        _WHERE,
        Field("times", Integer(1), "At least so often.", 1),
        Field("within", Duration(), "So long after the start.", REQUIRED),
    ),
)
LIFECYCLE = Record(
    "lifecycle",
    "Of each period: who is new, returning, resurrecting, dormant.",
    (_ACTIVE, _WHERE, Field("period", Choice(("1d", "1w")), "A day, or a week from Monday.", "1w")),
)
CHURN = Record(
    "churn", "Who was active and is not any more.", (_ACTIVE, _WHERE, Field("after", Duration(), "So long.", REQUIRED))
)
REPURCHASE = Record(
    "repurchase",
    "Who buys on a second day.",
    (_EVENT, _WHERE, Field("within", Duration(), "So soon; whole days.", REQUIRED)),
)
VISITS = Record(
    "visits",
    "Stays at a place, told from pings.",
    (
        _EVENT,
        _WHERE,
        _PLACE,
        Field("gap", Duration(), "Pings so near belong together.", REQUIRED),
        Field("dwell", Duration(zero=True), "A visit lasts at least so long.", REQUIRED),
        Field("again_after", Duration(), "A new visit begins so long after the last sign of the one before.", REQUIRED),
        Field("or", PLACED_EVENT, "An event that makes a visit by itself."),
    ),
)
MODELS = ("last", "first", "linear", "position", "time_decay", "shapley")
TOUCH = Record(
    "touch",
    "What counts as a touch, and for how long.",
    (
        Field("delivered", Duration(), "A message that arrived so long before, at most."),
        Field("clicked", Duration(), "A message that was clicked so long before, at most."),
    ),
)
ATTRIBUTION = Record(
    "attribution",
    "Which messages a conversion is booked to. Bookkeeping: it says nothing of cause.",
    (
        Field("conversion", VALUED_EVENT, "What is shared out.", REQUIRED),
        Field("touch", TOUCH, "To what.", REQUIRED),
        Field("models", ListOf(Choice(MODELS), 1), "How.", ("last",), shown_default="`last`"),
        Field("half_life", Duration(), "Of `time_decay`.", 7 * DAY, shown_default="7d"),
    ),
)
REACH = Record(
    "reach",
    "From entry to goal: where an activity's people are lost.",
    (
        _ACTIVITY,
        Field("within", Duration(), "The goal counts so long after the send.", shown_default="as the goal itself says"),
    ),
)
MONEY = Record(
    "money",
    "What an activity brought and cost: attributed beside incremental.",
    (_ACTIVITY, Field("within", Duration(), "Counted so long after the entry.", shown_default="that of the goal")),
)

MATCHING = Record(
    "matching",
    "What a group would have brought a choice under another rule, from the propensities of the choices that were made.",
    (
        Field("group", NAMED, "Which group of policy.yaml.", REQUIRED),
        Field("policy", NAMED, "best: always the best one; even: each as often; the name of an activity: that one "
              "wherever it competes.", "best"),
        *VALUED_EVENT.fields,
        Field("within", Duration(), "Counted so long after the choice.", REQUIRED),
    ),
)  # fmt: skip

KINDS = {
    "reach": REACH, "lift": LIFT, "retention": RETENTION, "activation": ACTIVATION, "lifecycle": LIFECYCLE,
    "churn": CHURN, "repurchase": REPURCHASE, "visits": VISITS, "attribution": ATTRIBUTION, "money": MONEY,
    "matching": MATCHING,
}  # fmt: skip
MEASURE = Record(
    "measure",
    "One question, by its kind.",
    tuple(Field(name, record, record.doc) for name, record in KINDS.items()),
    choose=tuple(KINDS),
)

_PRICE = OneOf(
    (
        PositiveNumber(zero=True),
        Record("price", "A price a segment.", (Field("per_segment", PositiveNumber(zero=True), "So much.", REQUIRED),)),
    )
)
COUPON = Record(
    "coupon",
    "What a coupon costs where it is redeemed.",
    (
        Field("redeemed_by", EVENT_PART, "The event that redeems one.", REQUIRED),
        Field("value", VALUE, "What it costs: a number of that event.", REQUIRED),
    ),
)
COSTS = Record(
    "costs",
    "What a message costs, by channel, and what a coupon costs.",
    (
        *(Field(channel, _PRICE, f"A message by {channel}.") for channel in CHANNEL.values),
        Field("coupon", COUPON, "A coupon."),
    ),
)
MEASURES = Record(
    "measures",
    "`measures.yaml`: prices, and the questions by name.",
    (
        Field("currency", Text("a currency such as CNY", r"[A-Z]{3}", longest=3), "Of all values; for people.", ""),
        Field("costs", COSTS, "What is spent."),
        Field("margin", Percent(), "What is left of a purchase's value.", 1.0, shown_default="100%"),
        Field("purchase", VALUED_EVENT, "What counts as a purchase, for money."),
        Field("measures", MapOf("measure", NAMED, MEASURE), "The questions."),
    ),
)
