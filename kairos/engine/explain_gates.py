"""Why a gate did not allow, with the values that it looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from kairos.engine.address import ADDRESS_FIELD, address_of, is_dead, texts
from kairos.engine.gate.question import Verdict
from kairos.engine.moment import Moment
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.telling import condition_values, duration


def reason_of_gate(gate: str, activity: CompiledActivity, verdict: Verdict, moment: Moment) -> str:
    """One sentence, to which a hold's time may be added; the moment's scope is that of the question."""
    if verdict.outcome == "control":
        return "belongs to the control group, which gets nothing"
    why = _REASONS[gate](activity, moment) if gate in _REASONS else ""
    held = "; held" if verdict.outcome == "hold" else ""
    return f"stopped by {gate.replace('_', ' ')}: {why or verdict.reason}{held}"


def local_time(at: int, moment: Moment) -> str:
    """In the user's zone."""
    time = datetime.fromtimestamp(at / 1000, UTC).astimezone(moment.scope.zone)
    return time.isoformat(sep=" ", timespec="milliseconds" if at % 1000 else "seconds")


def _state_and_dates(activity: CompiledActivity, moment: Moment) -> str:
    spec, now = activity.spec, moment.scope.now
    if spec.state != "live":
        return f"the activity is {spec.state}"
    if spec.active.start is not None and now < spec.active.start:
        return f"active only from {local_time(spec.active.start, moment)}"
    return f"active only until {local_time(spec.active.end or 0, moment)}"


def _audience(activity: CompiledActivity, moment: Moment) -> str:
    wanted, inside = activity.spec.audience, moment.scope.in_crowd
    reasons = [f"not in {name}" for name in wanted.all_of if not inside(name)]
    if wanted.any_of and not any(map(inside, wanted.any_of)):
        reasons.append(f"in none of {', '.join(wanted.any_of)}")
    reasons += [f"in {name}" for name in wanted.not_in if inside(name)]
    if activity.where is not None and wanted.where is not None and not activity.where(moment.scope):
        reasons.append(condition_values(wanted.where, moment.scope))
    return "; ".join(reasons)


def _once(activity: CompiledActivity, moment: Moment) -> str:
    last = moment.state.once.get(activity.name)
    limit = activity.spec.limits.once
    rule = f"once in {duration(limit)}" if isinstance(limit, int) else "once ever"
    return f"{rule}, and the last one was at {local_time(last, moment)}" if last is not None else rule


def _reach(activity: CompiledActivity, moment: Moment) -> str:
    channels = dict.fromkeys(send.channel for variant in activity.variants for send in variant.sends)
    return "; ".join(reason for channel in channels if (reason := out_of_reach(moment.profile or {}, channel)))


def out_of_reach(profile: Mapping[str, Any], channel: str) -> str:
    """Why whoever has this profile cannot be reached on the channel; empty: nothing speaks against it."""
    field = ADDRESS_FIELD.get(channel)
    if channel in texts(profile, "unsubscribed"):
        return f"unsubscribed from {channel}"
    if field is None:
        return ""
    if (address := address_of(profile, channel)) is None:
        return f"no {field} for {channel}"
    return f"a dead {field} for {channel}" if is_dead(profile, address) else ""


def _caps(activity: CompiledActivity, moment: Moment) -> str:
    names = activity.spec.limits.caps
    said = []
    for name in names:
        cap = moment.plan.policy.caps.get(name)
        sends = [r.at for r in moment.state.reservations if name in r.caps]
        if cap is not None and sends:
            rules = ", ".join(f"{rule.most} in {duration(rule.per)}" for rule in cap.rules)
            times = ", ".join(local_time(at, moment) for at in sends[-3:])
            said.append(f"{name} allows {rules}; the last sends were at {times}")
    return "; ".join(said)


def _content(activity: CompiledActivity, moment: Moment) -> str:
    missing = {
        name
        for variant in activity.variants
        for send in variant.sends
        for name in send.required
        if name in send.data and send.data[name](moment.scope) is None
    }
    return f"the template needs {', '.join(sorted(missing))}" if missing else ""


def _quiet_hours(activity: CompiledActivity, moment: Moment) -> str:
    quiet = moment.plan.policy.quiet_hours
    if quiet is None:
        return ""
    start, end = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (quiet.start, quiet.end))
    return f"from {start} to {end}, and it is {local_time(moment.scope.now, moment)}"


def _black_list(activity: CompiledActivity, moment: Moment) -> str:
    return "the user is on it"


_REASONS: dict[str, Callable[[CompiledActivity, Moment], str]] = {
    "state_and_dates": _state_and_dates,
    "black_list": _black_list,
    "audience": _audience,
    "once": _once,
    "quiet_hours": _quiet_hours,
    "reach": _reach,
    "caps": _caps,
    "content": _content,
}
