"""`metrics.yaml`, `crowds.yaml`, `policy.yaml`, `sources.yaml`, `profile.yaml`, `materials.yaml`: every field."""

from __future__ import annotations

from kairos.engine.expression.scope import PROP_TYPES
from kairos.engine.rule.fields.common import (
    CHANNEL,
    EVENTS,
    FREE_NAME,
    NAMED,
    NAMED_PROP,
    NAMES,
    PROP_TYPE,
    RULE,
    USER,
    ZONE,
)
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Boolean,
    Choice,
    Clock,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Percent,
    Record,
    Text,
    Type,
)
from kairos.engine.rule.text.scalars import PROP

_AGGREGATED = Text("a prop or event.time", rf"{PROP}|event\.time", longest=100)

METRIC = Record(
    "metric",
    "An aggregate over a user's events.",
    (
        Field("count", EVENTS, "How many such events."),
        Field("sum", NAMED_PROP, "The sum of a prop of the events `of`."),
        Field("avg", NAMED_PROP, "The mean of a prop."),
        Field("min", _AGGREGATED, "The smallest value of a prop."),
        Field("max", _AGGREGATED, "The greatest value of a prop."),
        Field("distinct", NAMED_PROP, "How many different values of a prop."),
        Field("last", _AGGREGATED, "The latest value of a prop, or `event.time`."),
        Field("first", _AGGREGATED, "The earliest value of a prop, or `event.time`."),
        Field("of", EVENTS, "The events whose prop it is; not with `count`."),
        Field("where", RULE, "Which of these events; reads props only."),
        Field("window", Duration(), "Slides with event time, in 64 panes.", shown_default="since ever"),
        Field("per", NAMED_PROP, "One value per value of this prop."),
    ),
    choose=("count", "sum", "avg", "min", "max", "distinct", "last", "first"),
)
METRICS = MapOf("metric", NAMED, METRIC)

_REDIS_OR_USERS = OneOf((Choice(("redis",)), ListOf(USER)))
_PART = OneOf((NAMED, Named("crowd", lambda: crowd_type())))
_PARTS = ListOf(_PART, 1)

CROWD = Record(
    "crowd",
    "A set of users.",
    (
        Field("members", _REDIS_OR_USERS, "A list of users: of Redis, or here."),
        Field("where", RULE, "Everyone of whom this is true: `profile.x`, `metric.x`, `in_crowd(...)`."),
        Field("union", _PARTS, "In any of these crowds."),
        Field("intersect", _PARTS, "In all of these crowds."),
        Field("difference", _PARTS, "In the first and in none of the others."),
        Field("sample", Percent(), "A sticky share."),
        Field("of", NAMED, "What the share is taken of; only with `sample`.", shown_default="everyone"),
    ),
    choose=("members", "where", "union", "intersect", "difference", "sample"),
)


def crowd_type() -> Type:
    return CROWD


CROWDS = MapOf("crowd", NAMED, CROWD)

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
    ),
)  # fmt: skip

_SCHEMA_TYPE = Text(f"a type ({', '.join(PROP_TYPES)}; with ! for required)", f"({'|'.join(PROP_TYPES)})!?", longest=20)
_PATH = Text("a path such as order.no", r"\*|[^\s.]+(\.[^\s.]+)*", longest=200)

SOURCE = Record(
    "source",
    "Where events come from.",
    (
        Field("enabled", Boolean(), "Off: its events are not taken.", True),
        Field("identity", OneOf((Choice(("user_id",)), MapOf("field", FREE_NAME, Choice(("redis",)), 1))),
              "What identifies the user; anything but user_id is looked up before keying.", "user_id"),
        Field("map", Record("map", "From native JSON: envelope field to path.", tuple(
            Field(name, _PATH, doc) for name, doc in (
                ("id", "Path of the event's id."), ("type", "Path of its type."), ("user_id", "Path of the user."),
                ("time", "Path of the time."), ("props", 'Path of the props; "*" takes all fields.'),
            )
        )), "How to read its own format.", shown_default="lines are envelopes already"),
        Field("events", MapOf("event type", NAMED, MapOf("prop", NAMED_PROP, _SCHEMA_TYPE)),
              "Event types, and the types of their props."),
    ),
)  # fmt: skip
SOURCES = MapOf("source", NAMED, SOURCE)
PROFILE = MapOf("field", FREE_NAME, PROP_TYPE)

# No user or password in an address, and nothing that would end the attribute of a page that it is put into.
_REST = r'[^\s"<>\\^`{|}]*'
_WEB = rf'https?://[^\s/?#@"<>\\^`{{|}}]+([/?#]{_REST})?'
_URL = Text("an address such as https://shop.example.com/sale", _WEB, longest=2_000)
_APP = r"(?!javascript|vbscript|data|file|https?:)[a-z][a-z0-9.+-]*://"
_LINK = Text("an address such as https://shop.example.com/sale, or an app's own: shop://sale", rf"{_WEB}|{_APP}{_REST}",
             longest=2_000)  # fmt: skip
_LINE = Text("text of one line", r"[^\n\r]*\S[^\n\r]*")

MINI_PROGRAM = Record(
    "mini_program",
    "A page of a mini-program, inside WeChat and the like.",
    (
        Field("appid", Text("the app id of a mini-program", r"[A-Za-z0-9_-]+", longest=100), "Which one.", REQUIRED),
        Field(
            "path", Text("a page such as pages/sale?id=1", r"[^\s]+"), "Which page of it.", shown_default="its first"
        ),
    ),
)

MATERIAL = Record(
    "material",
    "What several messages show; templates read it as `material.<name>.<field>`.",
    (
        Field("title", _LINE, "Its headline."),
        Field("text", Text(longest=10_000), "A text."),
        Field("image", _URL, "The address of a picture."),
        Field("link", _LINK, "Where a tap or click leads."),
        Field("mini_program", MINI_PROGRAM, "Where a tap leads inside WeChat."),
    ),
)
MATERIALS = MapOf("material", NAMED, MATERIAL)
