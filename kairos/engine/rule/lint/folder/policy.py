"""policy.yaml: hours and windows that make no sense."""

from __future__ import annotations

from collections.abc import Iterable

from kairos.engine.channel import WAKES_NOBODY
from kairos.engine.policy.spec import QuietHours
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report, listed
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


def check_policy_is_there(drafts: Iterable[Draft], reports: dict[str, Report]) -> None:
    """People are woken at night, as often as somebody likes, where nobody has written down what holds for all."""
    waking = (send for draft in drafts for send, _ in draft.sends() if send.channel not in WAKES_NOBODY)
    if "policy.yaml" not in reports and any(waking):
        report = reports["policy.yaml"] = Report("policy.yaml")
        message = "there is no policy.yaml: no quiet hours and no caps, so messages leave at night and without limit"
        report.at(1, 1, "warning", "no-policy", message, 'for example quiet_hours: {from: "22:00", to: "08:00"}')


def check_caps_are_kept(policy: Value, drafts: Iterable[Draft], world: World, report: Report) -> None:
    """A cap binds whom it is named by; where nobody names one, everybody thinks that there is one."""
    sending = [draft for draft in drafts if any(draft.sends())]
    unsaid = any("caps" not in (draft.source.find("limits") or ()) for draft in sending)
    kept = world.policy.default_caps or any(draft.activity.limits.caps for draft in sending)
    names = [name for name, _ in policy["caps"].items()] if policy.find("caps") else []
    if names and unsaid and not kept and not any(draft.source.broken for draft in sending):
        message = (
            f"caps: no activity keeps to {listed(names)}: a cap binds those that name it, or all by `default_caps`"
        )
        report.warning(policy.keys["caps"], "cap-kept-by-none", message, f"default_caps: [{names[0]}]")


def check_send_window(draft: Draft, world: World) -> None:
    """A window that never opens, or only while quiet hours hold, would hold for ever."""
    window, place = draft.activity.limits.send_window, draft.source.find("limits", "send_window")
    if window is None or place is None:
        return
    if window.hours.start == window.hours.end:
        message = "send_window: 'from' is equal to 'to': that could be always or never"
        draft.report.error(place["to"].node, "send-window", message, "leave from and to far enough apart to send")
        return
    quiet, waking = world.policy.quiet_hours, any(send.channel not in WAKES_NOBODY for send, _ in draft.sends())
    if quiet and waking and draft.activity.limits.quiet_hours != "ignore" and minutes(window.hours) <= minutes(quiet):
        message = "send_window: all of it lies in the policy's quiet hours, so nothing could ever be sent"
        draft.report.error(place.node, "send-window", message, "quiet_hours: ignore, or other hours")


def minutes(hours: QuietHours) -> set[int]:
    """Of the day."""
    end = hours.end if hours.start < hours.end else hours.end + 24 * 60
    return {minute % (24 * 60) for minute in range(hours.start, end)}


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
