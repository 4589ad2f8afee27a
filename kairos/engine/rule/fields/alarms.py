"""`alarms.yaml`: every field."""

from __future__ import annotations

from kairos.engine.alarm.kinds import KINDS
from kairos.engine.rule.fields.common import CHANNEL, NAMED, NAMES, SUBJECT
from kairos.engine.rule.fields.types import (
    Boolean,
    Choice,
    Duration,
    Field,
    ListOf,
    MapOf,
    PositiveNumber,
    Record,
    Text,
)

_ALARM_NAME = Text("the name of an alarm (letters, digits and _)", r"[A-Za-z][A-Za-z0-9_]*", longest=100)
_DAY = Text("a day such as 2026-12-25", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", longest=10)

ALARM = Record(
    "alarm",
    "An alarm: one of those built in, or one of one's own of the same kind.",
    (
        Field("kind", Choice(tuple(KINDS)), "Which built-in alarm it is as.", shown_default="its name"),
        Field("enabled", Boolean(), "Off: it says nothing.", True),
        Field("activities", ListOf(SUBJECT, 1, one=True), "Only of these.", shown_default="all"),
        Field("channels", ListOf(CHANNEL, 1, one=True), "Only of these.", shown_default="all"),
        Field("crowds", ListOf(NAMED, 1, one=True), "Only of these; `CrowdStale`.", shown_default="all"),
        Field("pools", ListOf(NAMED, 1, one=True), "Only of these pools of coupons; `LowCoupons`.",
              shown_default="all"),
        Field("z", PositiveNumber(), "So many standard deviations off, two hours running; counts and shares.", 3.5),
        Field("limit", Duration(), "`WatermarkAge`, `CrowdStale`: older than this. `BudgetBurn`, `LowCoupons`: what is "
              "left does not last so long.", shown_default="5m; twice the crowd's `refresh`; 1d"),
        Field("severity", Choice(("page", "ticket")), "Whether somebody has to look now.", "page"),
        Field("send_to", NAMES, "Receivers, as the configuration names them.", shown_default="those of all alarms"),
    ),
)  # fmt: skip
ALARMS = Record(
    "alarms",
    "`alarms.yaml`: when to call somebody. Without the file every built-in alarm is watched, and told to nobody but "
    "the log.",
    (
        Field("send_to", NAMES, "Receivers of all alarms, as the configuration names them (`alarms.receivers`).", ()),
        Field("holidays", ListOf(_DAY), "Days of the policy's zone on which nothing is said of counts and shares.", ()),
        Field("alarms", MapOf("alarm", _ALARM_NAME, ALARM), "What differs from the built-in ones, and further ones."),
    ),
)
