"""`plans/<plan>.yaml`: every field, its type, default and meaning."""

from __future__ import annotations

from dataclasses import replace

from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.catalog import CATALOGS
from kairos.engine.rule.fields.common import EVENT, EVENTS, FREE_NAME, NAMED, NAMED_PROP, VALUE
from kairos.engine.rule.fields.crowds import CROWDS
from kairos.engine.rule.fields.examples import EXAMPLES
from kairos.engine.rule.fields.journey import JOURNEY
from kairos.engine.rule.fields.metrics import METRICS
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Anything,
    Boolean,
    Choice,
    Clock,
    Duration,
    Field,
    Filled,
    Integer,
    ListOf,
    MapOf,
    Moment,
    Number,
    Percent,
    Record,
    Text,
    Type,
)
from kairos.engine.rule.text.scalars import NAME

PARAMETER_TYPES: dict[str, Type] = {
    "duration": Duration(),
    "number": Number(),
    "integer": Integer(0),
    "percent": Percent(),
    "boolean": Boolean(),
    "string": Text(),
    "clock": Clock(),
    "name": NAMED,
    "event": EVENT,
    "prop": NAMED_PROP,
    "expression": VALUE,
}
"""What a parameter may be -> how its value is written."""

ORDERED = ("duration", "number", "integer", "percent", "clock")
"""Of these a `range` is from the least to the greatest; of others it lists what is allowed."""

PARAMETER = Record(
    "parameter",
    "What whoever uses the plan decides. `{$: wait}` stands where its value goes, `$name` where that is a key.",
    (
        Field("type", Choice(tuple(PARAMETER_TYPES)), "What it is.", REQUIRED),
        Field("range", ListOf(Anything(), 1), "[least, greatest] of what has an order; of others all that is allowed.",
              shown_default="anything of this type"),
        Field("default", Anything(), "What it is unless it is set; null: what it would stand for is left out.",
              REQUIRED),
        Field("title", Text(longest=200), "For people.", ""),
    ),
)  # fmt: skip
PARAMETERS = MapOf("parameter", NAMED, PARAMETER)

REQUIRES = Record(
    "requires",
    "What the rule folder has to know for the plan to work there.",
    (
        Field("events", Filled(EVENTS), "Event types of sources.yaml."),
        Field("props", Filled(MapOf("event type", EVENT, ListOf(NAMED_PROP))), "What these events carry, by type."),
        Field("profile", Filled(ListOf(FREE_NAME)), "Fields of profile.yaml."),
    ),
)

EVIDENCE_OF = Record(
    "evidence of an activity",
    "What one activity showed.",
    (
        Field("lift", Number(), "Treated less control: a share that reaches the goal.", REQUIRED),
        Field("n", Integer(0), "So many users showed it.", REQUIRED),
        Field("interval", ListOf(Number(), 2, longest=2), "At 95 %."),
    ),
)

EVIDENCE = Record(
    "evidence",
    "What the activities that came from the plan brought; `kairos plans evidence` writes it, nobody else.",
    (
        Field("lift", Number(), "Treated less control: a share that reaches the goal.", REQUIRED),
        Field("interval", ListOf(Number(), 2, longest=2), "At 95 %.", REQUIRED),
        Field("n", Integer(0), "So many users showed it, in both arms.", REQUIRED),
        Field("rate", Number(), "Of the treated this share reached the goal."),
        Field("as_of", Moment(), "What was known then.", REQUIRED),
        Field("of", MapOf("activity", NAMED, EVIDENCE_OF), "By activity, so that none is its own evidence."),
    ),
)


def _body(record: Type, name: str, what: str) -> Field:
    """An activity or a journey without its name, and without where it came from."""
    assert isinstance(record, Record)
    fields = tuple(field for field in record.fields if field.name not in (name, "from"))
    return Field(name, Filled(replace(record, fields=fields)), what)


_TEMPLATE = Text("a template's name and channel, such as welcome.email", rf"{NAME}\.{NAME}", longest=200)

PLAN = Record(
    "plan",
    "One plan a file: `plans/<plan>.yaml`.",
    (
        Field("plan", NAMED, "Its name, that of the file.", REQUIRED),
        Field("title", Text(longest=200), "For people.", REQUIRED),
        Field("why", Text(longest=2_000), "Why it works, and for whom.", REQUIRED),
        Field("theme", NAMED, "The folder that its activity goes into.", "plans"),
        Field("parameters", PARAMETERS, "What is decided at use."),
        Field("requires", REQUIRES, "What it takes."),
        Field("evidence", EVIDENCE, "What it brought."),
        _body(ACTIVITY, "activity", "What becomes the activity's file: as there, without its name."),
        _body(JOURNEY, "journey", "What becomes the journey's file."),
        Field("metrics", Filled(METRICS), "What metrics.yaml needs."),
        Field("crowds", Filled(CROWDS), "What crowds.yaml needs."),
        Field("catalogs", Filled(CATALOGS), "What catalogs.yaml needs; a catalog that is there already stays."),
        Field("templates", MapOf("template", _TEMPLATE, Text(longest=100_000)), "Texts: `<name>.<channel>` to Liquid."),
        Field("tests", Filled(EXAMPLES), "What becomes the examples beside it.", REQUIRED),
    ),
    choose=("activity", "journey"),
)
BODIES = ("activity", "journey")
