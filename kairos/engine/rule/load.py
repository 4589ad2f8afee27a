"""A rule folder's bytes in; the rules, and everything that is wrong with them, out. Pure: an adapter reads the folder.

Phases: paths are sorted into kinds; each file is decoded, parsed and read by its declaration; what was read is lowered
to the model; the checks of `lint` look at all of it together. Every phase adds findings and goes on with what is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from kairos.engine.rule.examples import TestFile
from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.examples import EXAMPLES
from kairos.engine.rule.fields.folder import CROWDS, MATERIALS, METRICS, POLICY, PROFILE, SOURCES
from kairos.engine.rule.fields.read import read
from kairos.engine.rule.fields.types import Type
from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.finding import Finding
from kairos.engine.rule.lint.all import check_all
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft, lower_activity, zone_of
from kairos.engine.rule.lower.examples import lower_examples
from kairos.engine.rule.lower.folder import (
    lower_crowds,
    lower_materials,
    lower_metrics,
    lower_policy,
    lower_profile,
    lower_sources,
)
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.decode import decode
from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml
from kairos.engine.rule.text.report import Report, nearest, shown

FOLDER_FILES: dict[str, Type] = {
    "metrics.yaml": METRICS,
    "crowds.yaml": CROWDS,
    "policy.yaml": POLICY,
    "sources.yaml": SOURCES,
    "profile.yaml": PROFILE,
    "materials.yaml": MATERIALS,
}
_ACTIVITY = re.compile(r"activities/[^/]+/[^/]+\.yaml")
_EXAMPLES = re.compile(r"activities/[^/]+/[^/]+\.test\.yaml")
_TEMPLATE = re.compile(r"templates/[^/]+\.liquid")
_OURS = (".yaml", ".yml", ".liquid")


class Unreadable(msgspec.Struct, frozen=True):
    """In place of a file's bytes: why it was not read."""

    reason: str


@dataclass
class Loaded:
    """`rules` None: there are errors. `tests`: activity -> its examples, only where there are no errors."""

    rules: RuleSet | None = None
    findings: list[Finding] = field(default_factory=list)
    tests: dict[str, TestFile] = field(default_factory=dict)


@dataclass
class Read:
    """A folder after reading: one report a file, and the value of what could be read."""

    reports: dict[str, Report] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)


def load(files: Mapping[str, bytes | Unreadable], today: int | None = None) -> Loaded:
    """`files`: path relative to the rule folder -> content. `today` (epoch ms) allows to warn of dates gone by."""
    read_ = _read_all(files)
    world = _world(read_)
    drafts = _drafts(read_, world)
    examples = {path: read_.values[path] for path in read_.values if _EXAMPLES.fullmatch(path)}
    check_all(drafts, world, read_.values, read_.reports, today)
    findings = sorted(finding for report in read_.reports.values() for finding in report.findings)
    if any(finding.level == "error" for finding in findings):
        return Loaded(None, findings)
    rules = RuleSet(
        {draft.name: draft.activity for draft in drafts.values()},
        world.metrics, world.crowds, world.policy, world.sources, world.profile, world.templates,
        world.materials,
    )  # fmt: skip
    return Loaded(rules, findings, _tests(examples, drafts, world))


def _read_all(files: Mapping[str, bytes | Unreadable]) -> Read:
    found = Read()
    for path, content in sorted(files.items()):
        report = found.reports[path] = Report(path)
        type_ = _type_of(path)
        if type_ is None and not _TEMPLATE.fullmatch(path):
            _stray(path, report)
            continue
        try:
            report.text = _text(content)
            if type_ is None:
                found.templates[path] = report.text
            elif (value := _value(path, type_, report)) is not None:
                found.values[path] = value
        except YamlError as error:
            report.at(error.line, error.column, "error", error.code, error.message, error.hint)
        if type_ is not None and path not in found.values:
            found.lost.add(path)
    if not files:
        report = found.reports["."] = Report(".")
        report.at(1, 1, "error", "no-rules", "there are no rules here", "expected activities/<theme>/<activity>.yaml")
    return found


def _type_of(path: str) -> Type | None:
    if path in FOLDER_FILES:
        return FOLDER_FILES[path]
    if _EXAMPLES.fullmatch(path):
        return EXAMPLES
    return ACTIVITY if _ACTIVITY.fullmatch(path) else None


def _text(content: bytes | Unreadable) -> str:
    if isinstance(content, Unreadable):
        raise YamlError(1, 1, "unreadable", content.reason)
    return decode(content)


def _stray(path: str, report: Report) -> None:
    """A rule file that nothing would ever read is a trap: an error, not silence."""
    if not path.endswith(_OURS):
        return
    name = path.rsplit("/", 1)[-1]
    hint = "rename it to .yaml" if name.endswith(".yml") else nearest(path, FOLDER_FILES, 0.75)
    expected = f"{', '.join(FOLDER_FILES)}, activities/<theme>/<activity>.yaml or templates/<name>.<channel>.liquid"
    report.at(1, 1, "error", "stray-file", f"{shown(path)} has no place in a rule folder: expected {expected}", hint)


def _value(path: str, type_: Type, report: Report) -> Value | None:
    """An empty file says nothing: fine where everything has a default, with a warning."""
    root = read_yaml(report.text)
    name = path.rsplit("/", 1)[-1].removesuffix(".yaml")
    if root is None and type_ in (ACTIVITY, EXAMPLES):
        raise YamlError(
            1, 1, "empty", f"the file is empty: expected {'an activity' if type_ is ACTIVITY else 'examples'}"
        )
    if root is None:
        report.at(1, 1, "warning", "empty", "the file is empty", "remove it, or write what belongs there")
        root = Node("mapping", 1, 1, 0, 0, "block")
    return read(root, type_, report, "activity" if type_ is ACTIVITY else name)


def _world(found: Read) -> World:
    values = found.values
    world = World(templates=_templates(found))
    if "policy.yaml" in values:
        world.policy = lower_policy(values["policy.yaml"])
    if "metrics.yaml" in values:
        world.metrics = lower_metrics(values["metrics.yaml"])
    if "crowds.yaml" in values:
        world.crowds = lower_crowds(values["crowds.yaml"])
    if "sources.yaml" in values and not values["sources.yaml"].broken:
        world.sources = lower_sources(values["sources.yaml"])
    if "profile.yaml" in values and not values["profile.yaml"].broken:
        world.profile = lower_profile(values["profile.yaml"])
    if "materials.yaml" in values:
        world.materials = lower_materials(values["materials.yaml"])
    world.crowd_names = _names(found, "crowds.yaml")
    world.metric_names = _names(found, "metrics.yaml")
    world.cap_names = _names(found, "policy.yaml", "caps")
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
        if _type_of(path) is ACTIVITY:
            draft = lower_activity(value, world.policy, found.reports[path])
            if draft is not None:
                drafts[path] = draft
    return drafts


def _tests(examples: Mapping[str, Value], drafts: Mapping[str, Draft], world: World) -> dict[str, TestFile]:
    tests = {}
    for path, value in examples.items():
        draft = drafts[path.removesuffix(".test.yaml") + ".yaml"]
        zone = zone_of(draft.source.find("active"), world.policy)
        tests[draft.name] = lower_examples(value, draft.name, path, draft.activity.active, zone, world.sources)
    return tests
