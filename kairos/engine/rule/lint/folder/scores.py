"""scores.yaml and grades.yaml: keys that do not go together, and names of crowds, metrics and fields."""

from __future__ import annotations

from kairos.engine.expression import Names
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.expressions import CONDITION, check_expression
from kairos.engine.rule.lint.references import check_name
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.text.report import Report, nearest
from kairos.engine.score.spec import GRADES

_GOES_WITH = {
    "value": ("mbg_nbd", "bg_nbd"),
    "horizon": ("mbg_nbd", "bg_nbd"),
    "discount": ("mbg_nbd", "bg_nbd"),
    "seed": ("lookalike",),
    "column": ("table",),
}
"""Key -> the models with which it says anything, or `table`."""
_NEEDS = {"lookalike": "seed", "table": "column"}


def check_scores(scores: Value, world: World, report: Report) -> None:
    for _, score in scores.items():
        kind = "table" if "table" in score else score.find("model")
        kind = kind if isinstance(kind, str) or kind is None else kind.data
        if kind is None:
            continue
        for key, kinds in _GOES_WITH.items():
            if key in score.keys and kind not in kinds:
                with_ = " or ".join("table" if name == "table" else f"model: {name}" for name in kinds)
                report.error(score.keys[key], "wrong-form", f"'{key}' goes with {with_} only")
        if (needed := _NEEDS.get(kind)) and needed not in score.keys:
            report.error(score.node, "missing-key", f"{kind}: '{needed}' is missing")
        if seed := score.find("seed"):
            check_name(seed, "seed", "crowd", world.crowd_names, report, "crowds.yaml")


def check_grades(grades: Value, world: World, report: Report) -> None:
    names = Names(bare=False, event=False, metrics={}, profile=world.profile, crowds=frozenset())
    for grade in GRADES:
        if rule := grades.find(grade):
            check_expression(rule, grade, names, world, report, CONDITION)
    interest = grades.find("interest")
    if interest is None:
        return
    root, _, name = interest.data.partition(".")
    if root == "metric":
        named = Value(interest.node, interest.type, name)
        check_name(named, "interest", "metric", world.metric_names, report, "metrics.yaml")
    elif world.profile is not None and name not in world.profile:
        message = f"interest: '{name}' is not a declared field of the profile"
        report.error(interest.node, "unknown-profile-field", message, nearest(name, world.profile))
