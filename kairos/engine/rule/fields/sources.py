"""`sources.yaml` and `profile.yaml`: every field."""

from __future__ import annotations

import re

from kairos.engine.event import OF_SOURCES, OWN, TIME_UNITS
from kairos.engine.expression.scope import PROP_TYPES
from kairos.engine.rule.fields.common import (
    FREE_NAME,
    NAMED,
    NAMED_PROP,
    PROP_TYPE,
)
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Boolean,
    Choice,
    Field,
    MapOf,
    OneOf,
    Record,
    Text,
)
from kairos.engine.rule.text.scalars import EVENT_TYPE

_OURS = "|".join(re.escape(start) for start in OWN)
_THEIRS = "|".join(re.escape(type_) for type_ in OF_SOURCES)
_SENT = Text("an event type (small letters, 0-9, _ and dots inside; not one of Kairos' own, such as message.sent)",
             rf"(?=({_THEIRS})$|(?!{_OURS})){EVENT_TYPE}", longest=100)  # fmt: skip
_SCHEMA_TYPE = Text(f"a type ({', '.join(PROP_TYPES)}; with ! for required)", f"({'|'.join(PROP_TYPES)})!?", longest=20)
_PATH = Text("a path such as order.no", r"\*|[^\s.]+(\.[^\s.]+)*", longest=200)

_TIME = OneOf(
    (
        _PATH,
        Record(
            "time of map",
            "A time in another unit than milliseconds.",
            (
                Field("from", _PATH, "Its path.", REQUIRED),
                Field(
                    "unit",
                    Choice(tuple(TIME_UNITS)),
                    "What a number there counts since 1970; text is ISO 8601.",
                    REQUIRED,
                ),
            ),
        ),
    )
)

SOURCE = Record(
    "source",
    "Where events come from.",
    (
        Field("enabled", Boolean(), "Off: its events are not taken.", True),
        Field("identity", OneOf((Choice(("user_id",)), MapOf("field", FREE_NAME, Choice(("redis",)), 1))),
              "What identifies the user; anything but user_id is looked up before keying.", "user_id"),
        Field("map", Record("map", "From native JSON: envelope field to path.", tuple(
            Field(name, _TIME if name == "time" else _PATH, doc) for name, doc in (
                ("id", "Path of the event's id."), ("type", "Path of its type."), ("user_id", "Path of the user."),
                ("time", "Path of the time, with its unit where that is no ms."),
                ("props", 'Path of the props; "*" takes all fields.'),
            )
        )), "How to read its own format.", shown_default="lines are envelopes already"),
        Field("events", MapOf("event type", _SENT, MapOf("prop", NAMED_PROP, _SCHEMA_TYPE)),
              "Event types, and the types of their props."),
    ),
)  # fmt: skip
SOURCES = MapOf("source", NAMED, SOURCE)
PROFILE = MapOf("field", FREE_NAME, PROP_TYPE)
