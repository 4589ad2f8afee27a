"""Why a gate did not allow, with the values that it looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from kairos.engine.channel import ADDRESS_FIELD
from kairos.engine.gate.question import Verdict
from kairos.engine.play.telling import condition_values
from kairos.engine.policy.spec import DAYS, CapRule, QuietHours
from kairos.engine.profile.address import address_of, is_dead
from kairos.engine.profile.consent import has_opted_out, unreadable
from kairos.engine.profile.port import Degraded
from kairos.engine.profile.topics import FIELD, LAST, word_of
from kairos.engine.rule.compiled import CompiledActivity
from kairos.engine.rule.model import OncePer
from kairos.engine.rule.text.scalars import short_duration
from kairos.engine.user.moment import Moment
from kairos.engine.user.once import once_key


def reason_of_gate(gate: str, activity: CompiledActivity, verdict: Verdict, moment: Moment) -> str:
    """One sentence, to which a hold's time may be added; `moment`: of the case that was asked about."""
    if verdict.outcome == "control":
        return "belongs to the control group, which gets nothing"
    why = verdict.why or (_REASONS[gate](activity, moment) if gate in _REASONS else "")
    held = "; held" if verdict.outcome == "hold" else ""
    return f"stopped by {gate.replace('_', ' ')}: {why or verdict.reason}{held}"


def local_time(at: int, moment: Moment) -> str:
    """In the user's zone."""
    time = datetime.fromtimestamp(at / 1000, UTC).astimezone(moment.zone)
    return time.isoformat(sep=" ", timespec="milliseconds" if at % 1000 else "seconds")


def _state_and_dates(activity: CompiledActivity, moment: Moment) -> str:
    spec, now = activity.spec, moment.now
    state = moment.instant.surroundings.switches.state_of(spec, now)
    if state != "live":
        return f"the activity is {state}"
    if spec.active.start is not None and now < spec.active.start:
        return f"active only from {local_time(spec.active.start, moment)}"
    return f"active only until {local_time(spec.active.end or 0, moment)}"


def _audience(activity: CompiledActivity, moment: Moment) -> str:
    wanted, inside = activity.spec.audience, moment.in_crowd
    reasons = [f"not in {name}" for name in wanted.all_of if not inside(name)]
    if wanted.any_of and not any(map(inside, wanted.any_of)):
        reasons.append(f"in none of {', '.join(wanted.any_of)}")
    reasons += [f"in {name}" for name in wanted.not_in if inside(name)]
    if activity.where is not None and wanted.where is not None and not activity.where(moment):
        reasons.append(condition_values(wanted.where, moment))
    return "; ".join(reasons)


def _once(activity: CompiledActivity, moment: Moment) -> str:
    limit, case = activity.spec.limits.once, moment.case
    last = moment.instant.state.once.get(once_key(activity, case)) if case is not None else None
    rule = f"once in {short_duration(limit)}" if isinstance(limit, int) else "once ever"
    if isinstance(limit, OncePer):
        rule = f"once in {short_duration(limit.span)} for each {limit.per}"
    return f"{rule}, and the last one was at {local_time(last, moment)}" if last is not None else rule


def _reach(activity: CompiledActivity, moment: Moment) -> str:
    channels = dict.fromkeys(send.channel for variant in activity.variants for send in variant.sends)
    return "; ".join(reason for channel in channels if (reason := out_of_reach(moment, activity, channel)))


def out_of_reach(moment: Moment, activity: CompiledActivity, channel: str) -> str:
    """Why the moment's user cannot be reached on the channel; empty: nothing speaks against it."""
    profile, field = moment.profile, ADDRESS_FIELD.get(channel)
    if not activity.spec.service and has_opted_out(profile, channel):
        lost = next((name for name in unreadable(profile) if name in ("unsubscribed", FIELD)), None)
        return f"'{lost}' of the profile cannot be read, so no {channel}" if lost else f"unsubscribed from {channel}"
    if field is None or moment.instant.surroundings.profiles is None:
        return ""
    if (address := address_of(profile, channel)) is None:
        return f"no {field} for {channel}"
    return f"a dead {field} for {channel}" if is_dead(profile, address) else ""


def _caps(activity: CompiledActivity, moment: Moment) -> str:
    names = activity.spec.limits.caps
    said = []
    for name in names:
        cap = moment.instant.program.policy.caps.get(name)
        sends = [r.at for r in moment.instant.state.reservations if name in r.caps]
        if cap is not None and sends:
            rules = ", ".join(_rule(rule) for rule in cap.rules)
            times = ", ".join(local_time(at, moment) for at in sends[-3:])
            said.append(f"{name} allows {rules}; the last sends were at {times}")
    return "; ".join(said)


def _rule(rule: CapRule) -> str:
    """In brackets, as policy.yaml calls it, what tells it from others of the cap with the same duration."""
    only = ", ".join(word for word in ("calendar" if rule.window == "calendar" else None, rule.channel) if word)
    return f"{rule.most} in {short_duration(rule.per)}" + (f" ({only})" if only else "")


def _quiet_hours(activity: CompiledActivity, moment: Moment) -> str:
    quiet = moment.instant.program.policy.quiet_hours
    if quiet is None:
        return ""
    return f"from {_hours(quiet)}, and it is {local_time(moment.now, moment)}"


def _send_window(activity: CompiledActivity, moment: Moment) -> str:
    window = activity.spec.limits.send_window
    if window is None:
        return ""
    days = ", ".join(DAYS[day] for day in window.days) if len(window.days) < len(DAYS) else "every day"
    return f"from {_hours(window.hours)}, {days}, and it is {local_time(moment.now, moment)}"


def _hours(hours: QuietHours) -> str:
    return " to ".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (hours.start, hours.end))


def _black_list(activity: CompiledActivity, moment: Moment) -> str:
    black = moment.instant.program.policy.black
    by_users = black is not None and moment.instant.user_id in (black.users or ())
    guessed = not by_users and "lists" in unreadable(moment.profile)
    return "'lists' of the profile cannot be read" if guessed else "the user is on it"


def _consent(activity: CompiledActivity, moment: Moment) -> str:
    name = activity.spec.topic or ""
    instant = moment.instant
    topic, heard = instant.program.rules.topics.get(name), instant.facts.consents.get(name)
    known = [word for word in (heard, word_of(instant.profile, name)) if word is not None]
    if topic is None:
        return f"the topic {name} is not in topics.yaml"
    if isinstance(instant.profile, Degraded):
        return f"the profile cannot be read at the moment, so nobody knows about {name}"
    if not known:
        return f"has not agreed to {name}, which begins without ({topic.default})"
    newest = max(known, key=lambda word: word.order)
    return f"said no to {name}" + (f" at {local_time(newest.at, moment)}" if newest.at < LAST else "")


_REASONS: dict[str, Callable[[CompiledActivity, Moment], str]] = {
    "state_and_dates": _state_and_dates,
    "black_list": _black_list,
    "consent": _consent,
    "audience": _audience,
    "once": _once,
    "quiet_hours": _quiet_hours,
    "send_window": _send_window,
    "reach": _reach,
    "caps": _caps,
}
