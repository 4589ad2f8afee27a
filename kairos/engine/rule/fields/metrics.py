"""`metrics.yaml`: every field."""

from __future__ import annotations

from kairos.engine.metric.aggregates import AGGREGATES, Aggregate
from kairos.engine.rule.fields.common import (
    EVENT,
    EVENTS,
    NAMED,
    NAMED_PROP,
    RULE,
    VALUE,
)
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    Number,
    OneOf,
    PositiveNumber,
    Record,
    Text,
    Type,
)
from kairos.engine.rule.text.scalars import PROP

MOST_COLLECTED = 1_000
COLLECTED = 100
"""Events of a `collect` that does not say its `max`."""
_PROP_OR_TIME = Text("a prop or event.time", rf"{PROP}|event\.time", longest=100)


def _aggregated(aggregate: Aggregate) -> Type:
    if aggregate.reads == "events":
        return EVENTS
    return _PROP_OR_TIME if aggregate.of_time else NAMED_PROP


_AGGREGATED = {name: Field(name, _aggregated(each), each.meaning) for name, each in AGGREGATES.items()} | {
    "max": Field("max", OneOf((Integer(1, MOST_COLLECTED), _PROP_OR_TIME)),
                 f"The greatest value of a prop; with `collect` of how many events, {MOST_COLLECTED} at most."),
}  # fmt: skip

DECAY = Record(
    "decay",
    "Points that lose half of their worth in each half-life: 10 are 5 after one, 2.5 after two.",
    (
        Field("points", MapOf("event type", EVENT, OneOf((Number(), VALUE)), 1),
              "By event type: a number, or an expression over its props.", REQUIRED),
        Field("half_life", Duration(), "After so long half of it is left.", REQUIRED),
        Field("max_per_day", PositiveNumber(), "So many points a day at most, of the policy's zone.",
              shown_default="no limit"),
    ),
)  # fmt: skip

METRIC = Record(
    "metric",
    "An aggregate over a user's events.",
    (
        *_AGGREGATED.values(),
        Field("collect", ListOf(NAMED_PROP, 1), "These props of the newest events, as a list of records, newest last."),
        Field("decay", DECAY, "A score whose points lose their worth with time."),
        Field("of", EVENTS, "The events whose prop it is; not with `count` and `decay`."),
        Field("where", RULE, "Which of these events; reads props only."),
        Field("window", Duration(), "Slides with event time, in 64 panes.", shown_default="since ever"),
        Field("per", NAMED_PROP, "One value per value of this prop."),
    ),
    choose=(*AGGREGATES, "collect", "decay"),
    beside=(("collect", ("max",)),),
)
METRICS = MapOf("metric", NAMED, METRIC)
