"""`numbers.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import (
    NAMED,
)
from kairos.engine.rule.fields.types import (
    Field,
    MapOf,
    Number,
    PositiveNumber,
    Record,
)

NUMBERS = Record(
    "numbers",
    "`numbers.yaml`: what `kairos learn` found. The command writes it; it is published like any other rule.",
    (
        Field("variants", MapOf("activity", NAMED, MapOf("variant", NAMED, PositiveNumber())),
              "For activities whose variants `choose: best`: the weights of the variants."),
        Field("uplift", MapOf("activity", NAMED, Number()),
              "What a user who enters an activity brings beyond control, as a share that reaches the goal."),
        Field("prices", MapOf("budget", NAMED, Number()),
              "What a unit of a shared budget's money has to bring, so that the money lasts."),
    ),
)  # fmt: skip
