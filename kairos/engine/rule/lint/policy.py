"""policy.yaml: hours and windows that make no sense."""

from __future__ import annotations

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.text.report import Report
from kairos.engine.rule.text.scalars import DAY, spell_duration

_CALENDAR = (DAY, 7 * DAY)


def check_policy(policy: Value, world: World, report: Report) -> None:
    quiet = policy.find("quiet_hours")
    if quiet and world.policy.quiet_hours and quiet.plain("from") == quiet.plain("to"):
        message = "quiet_hours: 'from' is equal to 'to': that could be always or never"
        report.error(quiet["to"].node, "quiet-hours", message, "remove quiet_hours if there are none")
    caps = policy.find("caps")
    for _, cap in caps.items() if caps else ():
        _check_cap(cap, report)


def _check_cap(cap: Value, report: Report) -> None:
    rules = [rule for rule in (cap["rules"].each() if "rules" in cap else []) if "max" in rule and "per" in rule]
    for rule in rules:
        if rule.plain("window") == "calendar" and rule.plain("per") not in _CALENDAR:
            found = spell_duration(rule.plain("per"))
            message = f"per: a calendar window is a day or a week: expected 1d or 7d, found {found}"
            report.error(rule["per"].node, "calendar-window", message, "window: rolling")
    for rule in rules:
        for other in rules:
            if _covers(other, rule):
                allowed = f"{other.plain('max')} in {spell_duration(other.plain('per'))}"
                message = (
                    f"max: {rule.plain('max')} can never be reached: another rule of this cap allows only {allowed}"
                )
                report.warning(rule["max"].node, "cap-never-binds", message, "remove one of the two")
                break


def _covers(strict: Value, loose: Value) -> bool:
    """Whether `strict` always stops a send before `loose` could: fewer in at least as long, on all of its channels."""
    if strict is loose or strict.plain("channel") not in (None, loose.plain("channel")):
        return False
    if strict.plain("window") != "rolling" and strict.plain("window") != loose.plain("window"):
        return False
    fewer, longer = strict.plain("max") <= loose.plain("max"), strict.plain("per") >= loose.plain("per")
    same = strict.plain("max") == loose.plain("max") and strict.plain("per") == loose.plain("per")
    return fewer and longer and not (same and strict.node.start > loose.node.start)
