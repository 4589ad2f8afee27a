"""`scores.yaml` and `grades.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import NAMED, NAMED_PROP, RULE
from kairos.engine.rule.fields.types import REQUIRED, Choice, Duration, Field, MapOf, Percent, Record, Text
from kairos.engine.score.spec import DAY

SCORE = Record(
    "score",
    "A number about every user, which rules read as `profile.score_<name>`.",
    (
        Field("model", Choice(("mbg_nbd", "bg_nbd", "lookalike")),
              "Of buying (`bg_nbd` holds every one-time buyer for alive), or of likeness to a crowd."),
        Field("table", Text("a file such as risk.csv or data/risk.parquet", r"[^\s]+\.(csv|parquet)", longest=500),
              "A table of one's own, with a column `user_id`; relative to the rule folder."),
        Field("value", Choice(("p_alive", "expected_purchases", "clv")),
              "Of a model of buying: the chance to buy again at all, purchases, or money.", "p_alive"),
        Field("horizon", Duration(), "How far ahead purchases and money are counted.", 365 * DAY,
              shown_default="365d"),
        Field("discount", Percent(), "What a year takes off money to come.", 0.0, shown_default="`0%`"),
        Field("seed", NAMED, "The crowd; with `model: lookalike`."),
        Field("column", NAMED_PROP, "The column with the score; with `table`."),
    ),
    choose=("model", "table"),
)  # fmt: skip
SCORES = MapOf("score", NAMED, SCORE)

GRADES = Record(
    "grades",
    "`grades.yaml`: how well somebody fits, apart from how interested she is. Who fits none of them has D.",
    (
        Field("interest", Text("metric.<name> or profile.<field>", r"(metric|profile)\.[A-Za-z_][A-Za-z0-9_]*"),
              "How interested somebody is: a metric, such as one that decays, or a field of the profile."),
        Field("A", RULE, "The best: everyone of whom this is true; reads the profile only.", REQUIRED),
        Field("B", RULE, "Of the rest, everyone of whom this is true."),
        Field("C", RULE, "Of the rest, everyone of whom this is true."),
    ),
)  # fmt: skip
