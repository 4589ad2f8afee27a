"""The decision record of a case, and the delivery of an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kairos.engine.case.reserved import SEND_BEFORE
from kairos.engine.channel import WAKES_NOBODY
from kairos.engine.decision import Outcome, Record
from kairos.engine.effect import Cut, Delivery
from kairos.engine.gate.content import message_values
from kairos.engine.gate.question import Question
from kairos.engine.policy.quiet_hours import next_quiet
from kairos.engine.policy.send_window import closes_at
from kairos.engine.profile.address import address_of
from kairos.engine.profile.personal import without_addresses
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend, Value
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Moment


def record_of(
    moment: Moment, activity: CompiledActivity, case: Case, outcome: Outcome, reason: str | None = None,
    send: CompiledSend | None = None,
) -> Record:  # fmt: skip
    """`moment`: of this case. Variants are of those not in the control group."""
    said = activity if send is None else send
    variant = activity.variant_of(moment.instant.user_id) if not case.control else None
    data = _evaluated(moment, said.data)
    record = Record(
        activity=activity.name,
        version=activity.version,
        variant=variant.name if variant else None,
        template=send.spec.template if send else None,
        user_id=moment.instant.user_id,
        at=moment.now,
        outcome=outcome,
        reason=reason,
        channel=send.channel if send else None,
        occurrence=case.occurrence,
        steps={name: [event.id for event in events] for name, events in case.steps.items()},
        data=without_addresses(data, said.personal, moment.instant.profile) if data else {},
    )
    if activity.name in moment.instant.program.rolled_out:
        record.rollout = True
    if moment.instant.live is not None:
        record.shadow = True
    record.crowds = moment.snapshots() or msgspec.UNSET
    attempt = case.attempt if outcome == "send" else case.attempt + 1
    if attempt > 1 and outcome in ("send", "hold", "suppress"):
        record.attempt = attempt
    return record


def _evaluated(moment: Moment, values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: value(moment) for name, value in values.items()}


def delivery_of(question: Question, send: CompiledSend, record: Record) -> Delivery:
    """The attempt that this record is about, with the template's values and the address resolved."""
    last, cut = _send_before(question, send)
    return Delivery(
        activity=record.activity,
        version=record.version,
        user_id=record.user_id,
        occurrence=record.occurrence,
        attempt=question.case.attempt,
        channel=send.channel,
        template=record.template,
        address=address_of(question.profile, send.channel),
        at=record.at,
        not_before=record.at,
        send_before=last,
        values=message_values(send, question.scope),
        variant=record.variant,
        cut=cut,
        zone=question.zone.key,
        topic=question.activity.spec.topic,
        service=question.activity.spec.service,
    )


def _send_before(question: Question, send: CompiledSend) -> tuple[int, Cut | None]:
    """The last time (ms) at which the attempt may go, and what of the user's clock ends that time, if any."""
    limits, quiet = question.activity.spec.limits, question.program.policy.quiet_hours
    last = question.last_time if question.last_time is not None else question.now + SEND_BEFORE
    cut: Cut | None = None
    exempt = limits.quiet_hours == "ignore" or send.channel in WAKES_NOBODY or question.white
    if quiet is not None and not exempt and (night := next_quiet(quiet, question.now, question.zone)) <= last:
        last, cut = night - 1, "quiet_hours"
    window = limits.send_window
    if window is not None and (closes := closes_at(window, question.now, question.zone)) <= last:
        last, cut = closes - 1, "send_window"
    return last, cut
