"""Every check, in one place."""

from __future__ import annotations

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.content.templates import check_templates, is_of_activity
from kairos.engine.rule.lint.dates import check_dates
from kairos.engine.rule.lint.examples import check_examples
from kairos.engine.rule.lint.expressions import Checked, check_activity, check_metrics
from kairos.engine.rule.lint.folder.alarms import check_alarms
from kairos.engine.rule.lint.folder.catalogs import check_catalogs, check_coupons
from kairos.engine.rule.lint.folder.measures import check_measures
from kairos.engine.rule.lint.folder.numbers import check_numbers, check_prices
from kairos.engine.rule.lint.folder.policy import (
    check_caps_are_kept,
    check_policy,
    check_policy_is_there,
    check_send_window,
)
from kairos.engine.rule.lint.folder.scores import check_grades, check_scores
from kairos.engine.rule.lint.folder.workflow import check_workflow
from kairos.engine.rule.lint.growth import check_growth
from kairos.engine.rule.lint.idle import check_idle
from kairos.engine.rule.lint.journey.journeys import check_journey
from kairos.engine.rule.lint.journey.schedule import check_schedule
from kairos.engine.rule.lint.matching import check_groups, check_matching
from kairos.engine.rule.lint.overlap import check_names, check_overlaps
from kairos.engine.rule.lint.own_events import check_circles, check_own_names
from kairos.engine.rule.lint.pattern import check_trigger
from kairos.engine.rule.lint.per_metrics import check_per_metrics
from kairos.engine.rule.lint.references import check_folder, check_references
from kairos.engine.rule.lint.shape import check_shape
from kairos.engine.rule.lint.temporal import check_temporal
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.lower.journey import JourneyDraft
from kairos.engine.rule.text.report import Report


def check_all(
    drafts: dict[str, Draft],
    journeys: dict[str, JourneyDraft],
    world: World,
    values: dict[str, Value],
    reports: dict[str, Report],
    today: int | None,
) -> None:
    """Adds to the reports. All but `world` are by path; a path without a value could not be read."""
    compared = _check_files(world, values, reports)
    activities = _activity_names(drafts, journeys, reports)
    for draft in drafts.values():
        checked = list(check_activity(draft, world))
        check_trigger(draft)
        check_shape(draft, world)
        check_references(draft, world)
        check_own_names(draft.trigger.sources, activities, world, draft.report)
        check_per_metrics(draft, world, checked)
        check_dates(draft, world, today)
        check_send_window(draft, world)
        check_schedule(draft, world, today)
        check_matching(draft, compared, world)
        if not draft.source.broken:
            check_temporal(draft, world, checked)
            check_growth(draft)
            check_idle(draft)
    for journey in journeys.values():
        check_journey(journey, activities, world, today)
        check_schedule(journey.entry, world, today)
        for message in (journey.entry, *journey.messages):
            check_matching(message, compared, world)
    entries = {path: journey.entry for path, journey in journeys.items()}
    check_names({**drafts, **entries})
    check_circles([*drafts.values(), *entries.values()], [journey.journey for journey in journeys.values()])
    messages = {f"{path}#{m.name}": m for path, journey in journeys.items() for m in journey.messages}
    check_policy_is_there([*drafts.values(), *messages.values()], reports)
    if policy := values.get("policy.yaml"):
        check_caps_are_kept(policy, [*drafts.values(), *messages.values()], world, reports["policy.yaml"])
    if numbers := values.get("numbers.yaml"):
        check_numbers(numbers, drafts.values(), reports["numbers.yaml"])
        check_prices(numbers, world.budget_names, reports["numbers.yaml"])
    check_overlaps(draft for draft in drafts.values() if not draft.source.broken)
    if measures := values.get("measures.yaml"):
        check_measures(measures, drafts, activities, world, reports["measures.yaml"])
    if alarms := values.get("alarms.yaml"):
        check_alarms(alarms, activities, world, reports["alarms.yaml"])
    check_templates({**drafts, **entries, **messages}, world, reports, values.get("materials.yaml"))
    for path, value in values.items():
        if path.endswith(".test.yaml"):
            beside = path.removesuffix(".test.yaml") + ".yaml"
            lost = beside in reports and beside not in drafts and beside not in journeys
            check_examples(path, value, drafts.get(beside) or journeys.get(beside), lost, world, reports[path])


def _activity_names(
    drafts: dict[str, Draft], journeys: dict[str, JourneyDraft], reports: dict[str, Report]
) -> frozenset[str] | None:
    """Those of journeys' parts too. None: one could not be read, so any name may be meant."""
    files = [path for path in reports if is_of_activity(path)]
    if any(path not in drafts and path not in journeys for path in files):
        return None
    parts = (name for journey in journeys.values() for name in journey.activities())
    return frozenset([*(draft.name for draft in drafts.values()), *parts])


def _check_files(world: World, values: dict[str, Value], reports: dict[str, Report]) -> dict[str, Checked]:
    """The scores of the groups that compete, by name."""
    compared: dict[str, Checked] = {}
    check_folder(values, world, reports)
    if policy := values.get("policy.yaml"):
        check_policy(policy, world, reports["policy.yaml"])
        compared = check_groups(policy, world, reports["policy.yaml"])
    if metrics := values.get("metrics.yaml"):
        list(check_metrics(metrics, world, reports["metrics.yaml"]))
    if crowds := values.get("crowds.yaml"):
        # They parse SQL, with a library that takes a third of a second to import.
        from kairos.engine.rule.lint.folder.crowds import check_crowds
        from kairos.engine.rule.lint.folder.leakage import check_leakage

        check_crowds(crowds, world, reports)
        check_leakage(crowds, world, reports["crowds.yaml"])
    if catalogs := values.get("catalogs.yaml"):
        check_catalogs(catalogs, world, reports["catalogs.yaml"])
    if coupons := values.get("coupons.yaml"):
        check_coupons(coupons, world, reports["coupons.yaml"])
    if scores := values.get("scores.yaml"):
        check_scores(scores, world, reports["scores.yaml"])
    if workflow := values.get("workflow.yaml"):
        check_workflow(workflow, world, reports["workflow.yaml"])
    if grades := values.get("grades.yaml"):
        check_grades(grades, world, reports["grades.yaml"])
    return compared
