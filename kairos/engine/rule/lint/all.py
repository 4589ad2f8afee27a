"""Every check, in one place."""

from __future__ import annotations

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lint.cycles import check_cycles, check_depth
from kairos.engine.rule.lint.dates import check_dates
from kairos.engine.rule.lint.examples import check_examples
from kairos.engine.rule.lint.expressions import check_activity, check_crowds, check_metrics
from kairos.engine.rule.lint.idle import check_idle
from kairos.engine.rule.lint.overlap import check_names, check_overlaps
from kairos.engine.rule.lint.pattern import check_trigger
from kairos.engine.rule.lint.per_metrics import check_crowd_metrics, check_per_metrics
from kairos.engine.rule.lint.policy import check_policy
from kairos.engine.rule.lint.references import check_folder, check_references, crowd_parts
from kairos.engine.rule.lint.shape import check_shape
from kairos.engine.rule.lint.templates import check_templates
from kairos.engine.rule.lint.temporal import check_temporal
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report


def check_all(
    drafts: dict[str, Draft], world: World, values: dict[str, Value], reports: dict[str, Report], today: int | None
) -> None:
    """Adds to the reports. `drafts`, `values` and `reports` are by path; a path without a value could not be read."""
    _check_files(world, values, reports)
    for draft in drafts.values():
        checked = list(check_activity(draft, world))
        check_trigger(draft)
        check_shape(draft)
        check_references(draft, world)
        check_per_metrics(draft, world, checked)
        check_dates(draft, world, today)
        if not draft.source.broken:
            check_temporal(draft, world, checked)
            check_idle(draft)
    check_names(drafts)
    check_overlaps(draft for draft in drafts.values() if not draft.source.broken)
    check_templates(drafts, world, reports, values.get("materials.yaml"))
    for path, value in values.items():
        if path.endswith(".test.yaml"):
            beside = path.removesuffix(".test.yaml") + ".yaml"
            lost = beside in reports and beside not in drafts
            check_examples(path, value, drafts.get(beside), lost, world, reports[path])


def _check_files(world: World, values: dict[str, Value], reports: dict[str, Report]) -> None:
    check_folder(values, world, reports)
    if policy := values.get("policy.yaml"):
        check_policy(policy, world, reports["policy.yaml"])
    if metrics := values.get("metrics.yaml"):
        list(check_metrics(metrics, world, reports["metrics.yaml"]))
    if crowds := values.get("crowds.yaml"):
        _check_crowds(crowds, world, reports["crowds.yaml"])


def _check_crowds(crowds: Value, world: World, report: Report) -> None:
    mentions = {name: {part.data for part in crowd_parts(crowd)} for name, crowd in crowds.items()}
    for name, checked in check_crowds(crowds, world, report):
        mentions[name] |= checked.expression.reads.crowds
        check_crowd_metrics(checked, world)
    check_cycles(crowds, mentions, report)
    check_depth(crowds, mentions, report)
