"""From a case to its record: the gates are asked, reservations made, and the case kept for what may follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from kairos.engine.address import WAKES_NOBODY, address_of
from kairos.engine.decision import Outcome, Record
from kairos.engine.effect import Candidate, Delivery, Effect
from kairos.engine.gate.content import template_values
from kairos.engine.gate.order import ask
from kairos.engine.gate.question import Question, Verdict
from kairos.engine.lifecycle import SEND_BEFORE, count_for_once, end_attempts, forget, free_slots, keep, next_entry
from kairos.engine.moment import Degraded, Moment
from kairos.engine.personal import without_addresses
from kairos.engine.policy.quiet_hours import next_quiet
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend, CompiledVariant, Value
from kairos.engine.user_state import Case, Reservation
from kairos.engine.variant import choose_variant


def decide(moment: Moment, case: Case, now: int) -> Effect | None:
    """Ask all gates about a case that is due now. None: it goes on being held, or its activity is no more."""
    activity = moment.plan.compiled(case.activity, case.version)
    if activity is None:
        forget(moment, case)
        return None
    moment.at_case(case, activity)
    if case.held_for and activity.version != case.version and activity.spec.on_change == "restart":
        return _suppress(moment, activity, case, "cancelled", now)
    question = _question(moment, activity, case, now)
    observer = moment.observer
    seen = None
    if observer is not None:
        seen = lambda gate, verdict: observer.gate(activity, case, now, gate, verdict, moment.scope)  # noqa: E731
    verdict = ask(question, seen)
    limit = activity.spec.limits.send_before
    last = case.matched_at + limit if limit is not None and not activity.is_watch else None
    if verdict is None and last is not None and now > last:
        verdict = Verdict("suppress", "expired")
    if verdict is None:
        return _match(moment, activity, case, now) if activity.is_watch else _send_in_time(moment, question)
    if verdict.outcome == "control":
        return _control(moment, activity, case, now)
    if verdict.outcome == "hold":
        if last is None or now < last:
            return _hold(moment, activity, case, verdict, now)
        return _suppress(moment, activity, case, "expired", now)
    return _suppress(moment, activity, case, verdict.reason, now)


def _question(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> Question:
    variant = choose_variant(activity, moment.user_id)
    degraded = isinstance(moment.profile, Degraded)
    return Question(
        plan=moment.plan,
        activity=activity,
        state=moment.state,
        case=case,
        user_id=moment.user_id,
        now=now,
        scope=moment.scope,
        profile=moment.profile,
        check_reach=moment.profiles is not None and not degraded,
        variant=variant,
        entries=_ways_left(variant, case) if variant else [],
    )


def _ways_left(variant: CompiledVariant, case: Case) -> list[tuple[int, CompiledSend]]:
    """The entries after the last one tried; those without `after` only where that one failed."""
    left = [(i, send) for i, send in enumerate(variant.sends) if i > case.entry]
    return [(i, send) for i, send in left if send.spec.after is not None] if case.timed_out else left


def record_of(
    moment: Moment, activity: CompiledActivity, case: Case, outcome: Outcome, now: int, reason: str | None = None,
    send: CompiledSend | None = None,
) -> Record:  # fmt: skip
    """The record of this case; the scope must point at it. Variants are of those not in the control group."""
    said = activity if send is None else send
    variant = choose_variant(activity, moment.user_id) if not case.control else None
    record = Record(
        activity=activity.name,
        version=activity.version,
        variant=variant.name if variant else None,
        template=send.spec.template if send else None,
        user_id=moment.user_id,
        at=now,
        outcome=outcome,
        reason=reason,
        channel=send.channel if send else None,
        occurrence=case.occurrence,
        steps={name: [event.id for event in events] for name, events in case.steps.items()},
        data=without_addresses(_evaluated(moment, said.data), said.personal, moment.profile) if said.data else {},
    )
    attempt = case.attempt if outcome == "send" else case.attempt + 1
    if attempt > 1 and outcome in ("send", "hold", "suppress"):
        record.attempt = attempt
    return record


def _evaluated(moment: Moment, values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: value(moment.scope) for name, value in values.items()}


def _match(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> Record:
    case.sent_at = now
    count_for_once(moment, activity, case)
    keep(moment, activity, case)
    return record_of(moment, activity, case, "match", now)


def _control(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> Record:
    case.control, case.sent_at = True, now
    case.held_until, case.held_for = 0, ""
    count_for_once(moment, activity, case)
    keep(moment, activity, case)
    return record_of(moment, activity, case, "control", now)


def _hold(moment: Moment, activity: CompiledActivity, case: Case, verdict: Verdict, now: int) -> Record | None:
    """Only the first hold of an attempt is recorded. What is held reserves nothing."""
    again = bool(case.held_for)
    limit = activity.spec.limits.send_before
    case.held_until = verdict.until if limit is None else min(verdict.until, case.matched_at + limit)
    case.held_for = verdict.reason or ""
    case.give_up = verdict.give_up or case.give_up
    if case not in moment.state.cases:
        moment.state.cases.append(case)
    if case.attempt and not case.reached:
        free_slots(moment, case)
    return None if again else record_of(moment, activity, case, "hold", now, verdict.reason)


def _suppress(moment: Moment, activity: CompiledActivity, case: Case, reason: str | None, now: int) -> Record:
    record = record_of(moment, activity, case, "suppress", now, reason)
    end_attempts(moment, case)
    return record


def cancel(moment: Moment, case: Case, now: int) -> Record | None:
    """What undoes a case that has not gone yet: a goal, or the event that its final absence was about."""
    activity = moment.plan.compiled(case.activity, case.version)
    if activity is None or not case.held_for:
        end_attempts(moment, case)
        return None
    moment.at_case(case, activity)
    return _suppress(moment, activity, case, "cancelled", now)


def _send_in_time(moment: Moment, question: Question) -> Candidate | None:
    """Where the entry that was due dropped out, the one that stands in for it waits for its own `after`."""
    case, after = question.case, question.entries[0][1].spec.after
    if case.timed_out and after is not None and question.now < case.counted_from + after:
        case.fallback_at = case.counted_from + after
        return None
    return _send(moment, question)


def _send(moment: Moment, question: Question) -> Candidate:
    activity, case, now = question.activity, question.case, question.now
    index, send = question.entries[0]
    first = case.attempt == 0
    case.attempt += 1
    case.entry, case.channel = index, send.channel
    case.held_until, case.held_for, case.fallback_at, case.receipt = 0, "", 0, ""
    case.give_up = 0
    state = moment.state
    if first:
        case.sent_at = now
        count_for_once(moment, activity, case)
    toward = activity.spec.limits.counts_toward
    if toward:
        state.reservations.append(Reservation(now, case.occurrence, send.channel, toward))
    record = record_of(moment, activity, case, "send", now, send=send)
    if isinstance(moment.profile, Degraded):
        record.degraded = True
    if not moment.awaits_receipt(moment.user_id, case, now):
        _assume_delivered(moment, activity, case, now)
    keep(moment, activity, case)
    return Candidate(
        record=record,
        delivery=_delivery(moment, activity, case, send, record, question),
        priority=activity.spec.priority,
        budget=activity.spec.limits.budget if first else None,
    )


def _delivery(
    moment: Moment, activity: CompiledActivity, case: Case, send: CompiledSend, record: Record, question: Question
) -> Delivery:
    last, cut = _send_before(moment, activity, case, send, question)
    return Delivery(
        activity=record.activity,
        version=record.version,
        user_id=record.user_id,
        occurrence=record.occurrence,
        attempt=case.attempt,
        channel=send.channel,
        template=record.template,
        address=address_of(moment.profile, send.channel),
        at=record.at,
        not_before=record.at,
        send_before=last,
        values={**_evaluated(moment, send.data), **template_values(send, moment.scope)},
        variant=record.variant,
        cut=cut,
    )


def _send_before(
    moment: Moment, activity: CompiledActivity, case: Case, send: CompiledSend, question: Question
) -> tuple[int, Literal["quiet_hours"] | None]:
    limits, quiet = activity.spec.limits, moment.plan.policy.quiet_hours
    last = case.matched_at + limits.send_before if limits.send_before is not None else question.now + SEND_BEFORE
    exempt = quiet is None or limits.quiet_hours == "ignore" or send.channel in WAKES_NOBODY or question.white
    if exempt or quiet is None:
        return last, None
    night = next_quiet(quiet, question.now, moment.scope.zone)
    return (night - 1, "quiet_hours") if night <= last else (last, None)


def _assume_delivered(moment: Moment, activity: CompiledActivity, case: Case, now: int) -> None:
    """Without delivery workers a send is delivered at once; delivered is not read."""
    case.reached, case.receipt = True, "delivered"
    following = next_entry(activity, case, moment.user_id)
    if following is not None and following.spec.after is not None and following.spec.unless != "delivered":
        case.counted_from = now
        case.fallback_at = now + following.spec.after
