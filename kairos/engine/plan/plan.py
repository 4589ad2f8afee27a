"""A plan as it is read, and what it becomes once its parameters are put in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from kairos.engine.measure.evidence import Evidence, Shown
from kairos.engine.plan.fill import Filling, fill
from kairos.engine.plan.parameter import Parameter, Values, parameters_in
from kairos.engine.rule.fields.plan import BODIES, PARAMETERS, PLAN
from kairos.engine.rule.fields.reading.read import read
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.finding import Finding
from kairos.engine.rule.text.decode import decode
from kairos.engine.rule.text.nodes import Node, YamlError, read_yaml
from kairos.engine.rule.text.report import Report
from kairos.engine.rule.text.scalars import epoch_ms

PARTS = ("requires", *BODIES, "metrics", "crowds", "catalogs", "tests")
"""In these parameters may stand; templates have Liquid."""
_MEANING = ("parameters", *PARTS, "templates")


@dataclass(frozen=True)
class Requires:
    """What a rule folder has to know. `props`: by event type."""

    events: tuple[str, ...] = ()
    props: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    profile: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """`text`: its file, `root`: what stands there, nothing put in. `version`: 16 hex digits of what it means."""

    name: str
    title: str
    why: str
    theme: str
    kind: Literal["activity", "journey"]
    parameters: Mapping[str, Parameter]
    version: str
    evidence: Evidence | None
    text: str
    root: Node

    def defaults(self) -> Values:
        return {name: parameter.default for name, parameter in self.parameters.items()}

    @cached_property
    def by_default(self) -> Made:
        """With its defaults put in. Raises YamlError."""
        return make(self, self.defaults())


@dataclass(frozen=True)
class Made:
    """A plan with its parameters put in: `text` and `root` as above."""

    plan: Plan
    values: Values
    requires: Requires
    text: str
    root: Node


@dataclass(frozen=True)
class Library:
    """The plans of a folder, by name, and what is wrong with its files."""

    plans: dict[str, Plan] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(finding.level == "error" for finding in self.findings)


def read_library(files: Mapping[str, bytes]) -> Library:
    """`files`: name of the file in the library -> content."""
    library = Library()
    for path, content in sorted(files.items()):
        report = Report(path)
        plan = read_plan(content, report)
        if plan is not None and f"{plan.name}.yaml" != path:
            report.at(1, 1, "error", "file-name", f"the plan {plan.name} stands in {path}", f"call it {plan.name}.yaml")
        if plan is not None:
            library.plans[plan.name] = plan
        library.findings.extend(sorted(report.findings))
    return library


def read_plan(content: bytes, report: Report) -> Plan | None:
    """None: there are errors, which the report says at their places."""
    try:
        report.text = decode(content)
        root = read_yaml(report.text)
    except YamlError as error:
        report.at(error.line, error.column, "error", error.code, error.message, error.hint)
        return None
    if root is None or root.kind != "mapping":
        report.at(1, 1, "error", "empty", "expected a plan", "plan: its_name")
        return None
    parameters = _parameters(root, report)
    if parameters is None:
        return None
    filling = fill(report.text, parts_in(root), {name: one.default for name, one in parameters.items()}, report)
    _tell_unused(root, parameters, filling, report)
    if report.failed:
        return None
    value = _read_filled(filling, report)
    return _plan(value, root, report.text, parameters) if value is not None and not report.failed else None


def make(plan: Plan, values: Values) -> Made:
    """`values`: of every parameter. Raises YamlError where they do not go together."""
    report = Report(f"{plan.name}.yaml", plan.text)
    filling = fill(plan.text, parts_in(plan.root), values, report)
    value = _read_filled(filling, report)
    if report.failed or value is None:
        first = report.findings[0]
        raise YamlError(first.line, first.column, first.code, first.message, first.hint)
    return Made(plan, values, _requires(value.find("requires")), filling.text, value.node)


def entry_of(root: Node, name: str) -> tuple[Node, Node] | None:
    return next(((key, value) for key, value in root.entries if key.text == name), None)


def parts_in(root: Node) -> list[Node]:
    return [value for key, value in root.entries if key.text in PARTS]


def _parameters(root: Node, report: Report) -> dict[str, Parameter] | None:
    """None: one of them is wrong, and whatever names it would be told to be wrong, too."""
    entry = entry_of(root, "parameters")
    found = parameters_in(read(entry[1], PARAMETERS, report, "parameters"), report) if entry else {}
    return None if report.failed else found


def _tell_unused(root: Node, parameters: Mapping[str, Parameter], filling: Filling, report: Report) -> None:
    entry = entry_of(root, "parameters")
    for key, _ in entry[1].entries if entry else ():
        if key.text in parameters and key.text not in filling.used:
            report.warning(key, "unused-parameter", f"{key.text}: nothing of the plan asks for it", "remove it")


def _read_filled(filling: Filling, report: Report) -> Value | None:
    """The plan with all put in, by its declaration; what is wrong is told at its place in the plan."""
    filled = Report(report.file, filling.text)
    try:
        root = read_yaml(filling.text)
        value = read(root, PLAN, filled, "plan") if root is not None else None
    except YamlError as error:
        filled.at(error.line, error.column, "error", error.code, error.message, error.hint)
        value = None
    for finding in filled.findings:
        line, column = filling.place(finding.line, finding.column)
        report.at(line, column, finding.level, finding.code, finding.message, finding.hint)
    return value


def _plan(value: Value, root: Node, text: str, parameters: Mapping[str, Parameter]) -> Plan:
    return Plan(
        value.plain("plan"), value.plain("title"), value.plain("why").strip(), value.plain("theme"),
        "activity" if "activity" in value else "journey", parameters, _version(root), _evidence(value.find("evidence")),
        text, root,
    )  # fmt: skip


def _version(root: Node) -> str:
    """What is said about the plan, and what it brought, is no part of what it means; comments are none either."""
    meaning = {key.text: _plain(value) for key, value in root.entries if key.text in _MEANING}
    told = json.dumps(meaning, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _plain(node: Node) -> Any:
    if node.kind == "list":
        return [_plain(item) for item in node.items]
    if node.kind == "mapping":
        return {key.text: _plain(value) for key, value in node.entries}
    return node.value


def _requires(value: Value | None) -> Requires:
    if value is None:
        return Requires()
    props = value.plain("props") or {}
    return Requires(
        tuple(dict.fromkeys(value.plain("events") or ())),
        {event: tuple(names) for event, names in props.items()},
        tuple(value.plain("profile") or ()),
    )


def _evidence(value: Value | None) -> Evidence | None:
    if value is None:
        return None
    low, high = value.plain("interval")
    of = value.plain("of") or {}
    return Evidence(
        value.plain("lift"), (low, high), value.plain("n"), epoch_ms(value.plain("as_of"), ZoneInfo("UTC")),
        value.plain("rate"), {name: _shown(one) for name, one in of.items()},
    )  # fmt: skip


def _shown(one: Mapping[str, Any]) -> Shown:
    interval = one.get("interval")
    return Shown(one["lift"], one["n"], (interval[0], interval[1]) if interval else None)
