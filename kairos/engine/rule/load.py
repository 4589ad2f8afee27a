"""A rule folder's bytes in; the rules, and everything that is wrong with them, out. Pure: an adapter reads the folder.

Phases: paths are sorted into kinds; each file is decoded, parsed and read by its declaration; what was read is lowered
to the model; the checks of `lint` look at all of it together. Every phase adds findings and goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from kairos.engine.alarm.spec import Alarms
from kairos.engine.measure.spec import Measures
from kairos.engine.profile.fields import SCORE
from kairos.engine.rule.examples import TestFile
from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.examples import EXAMPLES
from kairos.engine.rule.fields.journey import JOURNEY
from kairos.engine.rule.fields.reading.read import read
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.fields.types import Type
from kairos.engine.rule.files import EXAMPLES_PATH, SQL_PATH, TEMPLATE_PATH, tell_stray, type_of, warn_of_other
from kairos.engine.rule.finding import Finding
from kairos.engine.rule.lint.all import check_all
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft, lower_activity, zone_of
from kairos.engine.rule.lower.alarms import lower_alarms
from kairos.engine.rule.lower.catalog import CODE_FILES, lower_catalogs, lower_coupons
from kairos.engine.rule.lower.crowds import lower_crowds
from kairos.engine.rule.lower.examples import lower_examples
from kairos.engine.rule.lower.folder import (
    lower_materials,
    lower_metrics,
    lower_numbers,
    lower_policy,
    lower_profile,
    lower_sources,
    lower_topics,
)
from kairos.engine.rule.lower.journey import JourneyDraft, lower_journey
from kairos.engine.rule.lower.measures import lower_measures
from kairos.engine.rule.lower.scores import lower_grades, lower_scores
from kairos.engine.rule.lower.workflow import lower_workflow
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.decode import decode
from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml
from kairos.engine.rule.text.report import Report
from kairos.engine.score.spec import Grades, Score

_NEEDED: dict[Type, str] = {ACTIVITY: "an activity", JOURNEY: "a journey", EXAMPLES: "examples"}
"""What may not be empty."""


class Unreadable(msgspec.Struct, frozen=True):
    """In place of a file's bytes: why it was not read."""

    reason: str


@dataclass
class Loaded:
    """`rules` None: there are errors. `tests` (activity -> its examples), `measures`, `scores`, `grades`, `alarms`:
    only where there are none.

    These are no part of the rules: the job is not given them, and changing them is no release.
    """

    rules: RuleSet | None = None
    findings: list[Finding] = field(default_factory=list)
    tests: dict[str, TestFile] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    scores: dict[str, Score] = field(default_factory=dict)
    grades: Grades | None = None
    alarms: Alarms = field(default_factory=Alarms)


@dataclass
class Read:
    """A folder after reading: one report a file, and the value of what could be read. `sql`, `codes`: path ->
    text."""

    reports: dict[str, Report] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    sql: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


def load(files: Mapping[str, bytes | Unreadable], today: int | None = None, others: Iterable[str] = ()) -> Loaded:
    """`files`: path relative to the rule folder -> content. `today` (epoch ms) allows to warn of dates gone by.

    `others`: paths of files that are no rule files by their names.
    """
    read_ = _read_all(files)
    for path in others:
        warn_of_other(path, read_.reports)
    world = _world(read_)
    drafts, journeys = _drafts(read_, world), _journeys(read_, world)
    examples = {path: read_.values[path] for path in read_.values if EXAMPLES_PATH.fullmatch(path)}
    check_all(drafts, journeys, world, read_.values, read_.reports, today)
    findings = sorted(finding for report in read_.reports.values() for finding in report.findings)
    if any(finding.level == "error" for finding in findings):
        return Loaded(None, findings)
    parts = {name: part for journey in journeys.values() for name, part in journey.activities().items()}
    rules = RuleSet(
        {**{draft.name: draft.activity for draft in drafts.values()}, **parts},
        world.metrics, world.crowds, world.policy, world.sources, world.profile, world.templates,
        world.materials,
        {draft.name: draft.best for draft in drafts.values() if draft.best is not None},
        world.uplift,
        world.kept,
        {draft.name: draft.journey for draft in journeys.values()},
        world.topics,
        world.catalogs,
        world.coupons,
        world.workflow,
        world.prices,
    )  # fmt: skip
    asked, scores, grades, alarms = (
        read_.values.get(file) for file in ("measures.yaml", "scores.yaml", "grades.yaml", "alarms.yaml")
    )
    return Loaded(
        rules,
        findings,
        _tests(examples, {**drafts, **journeys}, world),
        lower_measures(asked) if asked else Measures(),
        lower_scores(scores) if scores else {},
        lower_grades(grades) if grades else None,
        lower_alarms(alarms) if alarms else Alarms(),
    )


def _read_all(files: Mapping[str, bytes | Unreadable]) -> Read:
    found = Read()
    for path, content in sorted(files.items()):
        if path.endswith(CODE_FILES):
            if not isinstance(content, Unreadable):
                found.codes[path] = content.decode("utf-8-sig", "replace")
            continue
        report = found.reports[path] = Report(path)
        type_ = type_of(path)
        is_sql = bool(SQL_PATH.fullmatch(path))
        if type_ is None and not is_sql and not TEMPLATE_PATH.fullmatch(path):
            tell_stray(path, report)
            continue
        try:
            report.text = _text(content)
            if type_ is None:
                (found.sql if is_sql else found.templates)[path] = report.text
            elif (value := _value(path, type_, report)) is not None:
                found.values[path] = value
        except YamlError as error:
            report.at(error.line, error.column, "error", error.code, error.message, error.hint)
        if type_ is not None and path not in found.values:
            found.lost.add(path)
    if not found.reports:
        report = found.reports["."] = Report(".")
        report.at(1, 1, "error", "no-rules", "there are no rules here", "expected activities/<theme>/<activity>.yaml")
    return found


def _text(content: bytes | Unreadable) -> str:
    if isinstance(content, Unreadable):
        raise YamlError(1, 1, "unreadable", content.reason)
    return decode(content)


def _value(path: str, type_: Type, report: Report) -> Value | None:
    """An empty file says nothing: fine where everything has a default, with a warning."""
    root = read_yaml(report.text)
    name = path.rsplit("/", 1)[-1].removesuffix(".yaml")
    if root is None and type_ in _NEEDED:
        raise YamlError(1, 1, "empty", f"the file is empty: expected {_NEEDED[type_]}")
    if root is None:
        report.at(1, 1, "warning", "empty", "the file is empty", "remove it, or write what belongs there")
        root = Node("mapping", 1, 1, 0, 0, "block")
    return read(root, type_, report, {ACTIVITY: "activity", JOURNEY: "journey"}.get(type_, name))


def _world(found: Read) -> World:
    values = found.values
    world = World(templates=_templates(found), sql=found.sql, codes=found.codes)
    if "policy.yaml" in values:
        world.policy = lower_policy(values["policy.yaml"])
    if "metrics.yaml" in values:
        world.metrics = lower_metrics(values["metrics.yaml"])
    if "crowds.yaml" in values:
        world.crowds, world.kept = lower_crowds(values["crowds.yaml"], found.sql)
    if "sources.yaml" in values and not values["sources.yaml"].broken:
        world.sources = lower_sources(values["sources.yaml"])
    if "profile.yaml" in values and not values["profile.yaml"].broken:
        scores = _names(found, "scores.yaml") or ()
        world.profile = {**lower_profile(values["profile.yaml"]), **{SCORE + name: "number" for name in scores}}
    if "materials.yaml" in values:
        world.materials = lower_materials(values["materials.yaml"])
    if "numbers.yaml" in values:
        world.learned, world.uplift, world.prices = lower_numbers(values["numbers.yaml"])
    if "workflow.yaml" in values and not values["workflow.yaml"].broken:
        world.workflow = lower_workflow(values["workflow.yaml"])
    if "topics.yaml" in values:
        world.topics = lower_topics(values["topics.yaml"])
    if "catalogs.yaml" in values:
        world.catalogs = lower_catalogs(values["catalogs.yaml"])
    if "coupons.yaml" in values:
        world.coupons = lower_coupons(values["coupons.yaml"], found.codes)
    world.catalog_names = _names(found, "catalogs.yaml")
    world.coupon_names = _names(found, "coupons.yaml")
    world.crowd_names = _names(found, "crowds.yaml")
    world.topic_names = _names(found, "topics.yaml")
    world.metric_names = _names(found, "metrics.yaml")
    world.cap_names = _names(found, "policy.yaml", "caps")
    world.group_names = _names(found, "policy.yaml", "matching")
    world.budget_names = _names(found, "policy.yaml", "budgets")
    world.material_names = _names(found, "materials.yaml")
    return world


def _names(found: Read, file: str, *path: str) -> frozenset[str] | None:
    """The names that a file writes down, even where their definition is bad; None: the file cannot be read."""
    if file in found.lost:
        return None
    value = found.values[file].find(*path) if file in found.values else None
    if value is None:
        broken = file in found.values and found.values[file].broken
        return None if broken else frozenset()
    return frozenset(value.keys)


def _templates(found: Read) -> dict[str, str]:
    return {path.removeprefix("templates/").removesuffix(".liquid"): text for path, text in found.templates.items()}


def _drafts(found: Read, world: World) -> dict[str, Draft]:
    drafts = {}
    for path, value in found.values.items():
        if type_of(path) is ACTIVITY:
            draft = lower_activity(
                value, path.split("/")[1], world.policy, world.live, world.learned, found.reports[path]
            )
            if draft is not None:
                drafts[path] = draft
    return drafts


def _journeys(found: Read, world: World) -> dict[str, JourneyDraft]:
    lowered = {
        path: lower_journey(value, path.split("/")[1], world.policy, world.live, found.reports[path])
        for path, value in found.values.items()
        if type_of(path) is JOURNEY
    }
    return {path: draft for path, draft in lowered.items() if draft is not None}


def _tests(
    examples: Mapping[str, Value], drafts: Mapping[str, Draft | JourneyDraft], world: World
) -> dict[str, TestFile]:
    tests = {}
    for path, value in examples.items():
        draft = drafts[path.removesuffix(".test.yaml") + ".yaml"]
        zone = zone_of(draft.source.find("active"), world.policy)
        entry = draft.entry if isinstance(draft, JourneyDraft) else draft
        tests[draft.name] = lower_examples(value, entry.activity, path, zone, world.sources)
    return tests
