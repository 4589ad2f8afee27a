"""`activities/<theme>/<activity>.test.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import CHANNEL, FREE_NAME, NAMED, NAMED_PROP, USER
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Anything,
    Choice,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    Moment,
    Record,
    Text,
)

OUTCOMES = ("send", "match", "hold", "suppress", "control", "goal", "regret")

_PROFILES = MapOf("user", USER, MapOf("field", FREE_NAME, Anything()))
_METRICS = MapOf("user", USER, MapOf("metric", NAMED, Anything()))

EVENT = Record(
    "example event",
    "One event: when, and `<event type>: {user_id: ..., props...}`.",
    (
        Field("at", Duration(zero=True), "Counted from `start`.", REQUIRED),
        Field("id", Text("an id", longest=200, loose=True), "The event's id.", shown_default="e1, e2, ..."),
        Field("source", NAMED, "The event's source.", shown_default="the first that declares the type"),
    ),
    other=MapOf("prop", NAMED_PROP, Anything()),
    other_what="event type",
)

EXPECTED = Record(
    "expectation",
    "One decision. Fields that are not named are not compared.",
    (
        Field("at", Duration(zero=True), "When it is decided, counted from `start`.", REQUIRED),
        Field("outcome", Choice(OUTCOMES), "What is decided.", REQUIRED),
        Field("step", NAMED, "Of a journey: the message with this id, or `left`, its end; without it, its entry."),
        Field("user_id", USER, "Whom it is about."),
        Field("reason", Text(longest=100), "Why not."),
        Field("channel", CHANNEL, "Where it goes."),
        Field("template", NAMED, "The content."),
        Field("variant", NAMED, "The arm of an A/B test."),
        Field("attempt", Integer(1), "Which attempt."),
        Field("value", Anything(), "The value of a goal."),
        Field("data", MapOf("name", FREE_NAME, Anything()), "The template values, as far as named."),
    ),
)

EXAMPLE = Record(
    "example",
    "One test: events in, the complete list of decisions out.",
    (
        Field("name", Text(longest=200), "For people.", REQUIRED),
        Field("profiles", _PROFILES, "Profiles of this test, over those of the file."),
        Field("metrics", _METRICS, "Metric values of this test, over those of the file."),
        Field("events", ListOf(EVENT), "What happens.", REQUIRED),
        Field("expect", ListOf(EXPECTED), "All decisions; [] asserts silence.", REQUIRED),
    ),
)

EXAMPLES = Record(
    "examples",
    "Examples of an activity, beside it: `activities/<theme>/<activity>.test.yaml`.",
    (
        Field("start", Moment(), "What `at: 0s` means.", shown_default="noon of a day inside `active`"),
        Field("profiles", _PROFILES, "Profiles by user, for all tests."),
        Field("metrics", _METRICS, "Metric values by user, for all tests."),
        Field("tests", ListOf(EXAMPLE, 1), "The tests.", REQUIRED),
    ),
)
