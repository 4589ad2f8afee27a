"""scores.yaml and grades.yaml become scores and grades."""

from __future__ import annotations

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.score.spec import GRADES, BuyingScore, Grades, LikenessScore, Score, TableScore


def lower_scores(value: Value) -> dict[str, Score]:
    """The value is whole: nothing of it is broken."""
    return {name: _score(entry) for name, entry in value.items()}


def _score(value: Value) -> Score:
    if "table" in value:
        return TableScore(value.plain("table"), value.plain("column"))
    model = value.plain("model")
    if model == "lookalike":
        return LikenessScore(value.plain("seed"))
    return BuyingScore(model, value.plain("value"), value.plain("horizon"), value.plain("discount"))


def lower_grades(value: Value) -> Grades:
    """The value is whole: nothing of it is broken."""
    return Grades({grade: value.plain(grade) for grade in GRADES if grade in value}, value.plain("interest"))
