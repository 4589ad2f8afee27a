"""Which file of a rule folder is what, told by its path alone; what has no place in a folder is told, too."""

from __future__ import annotations

import re

from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.alarms import ALARMS
from kairos.engine.rule.fields.catalog import CATALOGS, COUPONS
from kairos.engine.rule.fields.crowds import CROWDS
from kairos.engine.rule.fields.examples import EXAMPLES
from kairos.engine.rule.fields.journey import JOURNEY
from kairos.engine.rule.fields.materials import MATERIALS
from kairos.engine.rule.fields.measures import MEASURES
from kairos.engine.rule.fields.metrics import METRICS
from kairos.engine.rule.fields.numbers import NUMBERS
from kairos.engine.rule.fields.policy import POLICY, TOPICS
from kairos.engine.rule.fields.scores import GRADES, SCORES
from kairos.engine.rule.fields.sources import PROFILE, SOURCES
from kairos.engine.rule.fields.types import Type
from kairos.engine.rule.fields.workflow import WORKFLOW
from kairos.engine.rule.lower.crowds import SQL_FOLDER
from kairos.engine.rule.text.report import Report, listed, nearest, shown

FOLDER_FILES: dict[str, Type] = {
    "metrics.yaml": METRICS,
    "crowds.yaml": CROWDS,
    "policy.yaml": POLICY,
    "topics.yaml": TOPICS,
    "catalogs.yaml": CATALOGS,
    "coupons.yaml": COUPONS,
    "sources.yaml": SOURCES,
    "profile.yaml": PROFILE,
    "materials.yaml": MATERIALS,
    "numbers.yaml": NUMBERS,
    "measures.yaml": MEASURES,
    "scores.yaml": SCORES,
    "grades.yaml": GRADES,
    "workflow.yaml": WORKFLOW,
    "alarms.yaml": ALARMS,
}
_ACTIVITY = re.compile(r"activities/[^/]+/[^/]+\.yaml")
_JOURNEY = re.compile(r"journeys/[^/]+/[^/]+\.yaml")
EXAMPLES_PATH = re.compile(r"(activities|journeys)/[^/]+/[^/]+\.test\.yaml")
TEMPLATE_PATH = re.compile(r"templates/[^/]+\.liquid")
SQL_PATH = re.compile(rf"{SQL_FOLDER}/[^/]+\.sql")
FORMS = {
    "activities": "<theme>/<activity>.yaml",
    "journeys": "<theme>/<journey>.yaml",
    "templates": "<name>.<channel>.liquid",
    SQL_FOLDER: "<name>.sql",
}
"""Folder -> how the files in it are called."""
_OURS = (".yaml", ".yml", ".liquid", ".sql")


def type_of(path: str) -> Type | None:
    if path in FOLDER_FILES:
        return FOLDER_FILES[path]
    if EXAMPLES_PATH.fullmatch(path):
        return EXAMPLES
    if _JOURNEY.fullmatch(path):
        return JOURNEY
    return ACTIVITY if _ACTIVITY.fullmatch(path) else None


def tell_stray(path: str, report: Report) -> None:
    """A rule file that nothing would ever read is a trap: an error, not silence."""
    if not path.endswith(_OURS):
        return
    name = path.rsplit("/", 1)[-1]
    hint = "rename it to .yaml" if name.endswith(".yml") else nearest(path, FOLDER_FILES, 0.75)
    forms = (*FOLDER_FILES, *(f"{folder}/{form}" for folder, form in FORMS.items()))
    expected = listed(forms)
    report.at(1, 1, "error", "stray-file", f"{shown(path)} has no place in a rule folder: expected {expected}", hint)


def warn_of_other(path: str, reports: dict[str, Report]) -> None:
    """Whoever edits a file among the rules that nobody reads wonders why nothing changes."""
    form = FORMS.get(path.split("/", 1)[0])
    if form is not None:
        report = reports[path] = Report(path)
        message = f"{shown(path)} is read by nobody: only {form} is"
        report.at(1, 1, "warning", "stray-file", message, "rename it, or keep it elsewhere")
