"""The gates are asked about a case that is due, and what they say is done: send, hold, suppress, record."""

from __future__ import annotations

import msgspec

from kairos.engine.case.codes import claims_of
from kairos.engine.case.own_events import events_of_receipt, listen
from kairos.engine.case.record import delivery_of, record_of
from kairos.engine.case.reserved import close, count_for_once, free_slots, keep, reserve
from kairos.engine.case.table import Input
from kairos.engine.case.turn import Turn
from kairos.engine.decision import Cause, Outcome, Verdict
from kairos.engine.effect import Candidate, Result
from kairos.engine.event import Event
from kairos.engine.gate.order import ask
from kairos.engine.gate.question import Question, competes
from kairos.engine.gate.worth import spending
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend, CompiledVariant
from kairos.engine.rule.model import SLOT
from kairos.engine.user.case import Case
from kairos.engine.user.cases import add
from kairos.engine.user.moment import Instant, at_case

_INPUTS = {"suppress": Input.SUPPRESS, "hold": Input.HOLD, "control": Input.CONTROL}


def ask_gates(instant: Instant, activity: CompiledActivity, case: Case) -> tuple[str, Turn]:
    """What the gates say about a case that is due now, as an input for the table."""
    question = _question(instant, activity, case)
    verdict: Verdict | None
    cause: Cause | None = None
    if case.held_until and activity.version != case.version and activity.spec.on_change == "restart":
        verdict, cause = Verdict("suppress", "cancelled"), "restart"
    else:
        verdict = _verdict(question)
    turn = Turn(instant, activity, case, cause=cause, question=question, verdict=verdict)
    if verdict is not None:
        ended = question.ghost and verdict.outcome == "suppress"
        return (Input.CONTROL if ended else _INPUTS[verdict.outcome]), turn
    if question.ghost and not competes(activity, instant.program):
        return Input.CONTROL, turn  # its group is no more
    return (Input.NOTE if activity.is_watch else Input.ALLOWED), turn


def _verdict(question: Question) -> Verdict | None:
    """None: send it. `send_before` has the last word: what is too late has expired, and is not held beyond it."""
    observer = question.instant.surroundings.observer
    seen = None
    if observer is not None:
        about = question.activity, question.scope, question.case
        seen = lambda gate, verdict: observer.gate(*about, gate, verdict)  # noqa: E731
    return in_time(question, ask(question, seen))


def in_time(question: Question, verdict: Verdict | None) -> Verdict | None:
    """The verdict, or that it is too late for what it allows."""
    last = question.last_time
    if last is None or question.activity.is_watch:
        return verdict
    if (verdict is None and question.now > last) or (
        verdict is not None and verdict.outcome == "hold" and question.now >= last
    ):
        return Verdict("suppress", "expired")
    return verdict


def _question(instant: Instant, activity: CompiledActivity, case: Case) -> Question:
    scope, variant = at_case(instant, activity, case), activity.variant_of(instant.user_id)
    return Question(
        instant, activity, case, scope, instant.program, instant.state, instant.user_id, instant.now, scope.zone,
        instant.profile, variant, _ways_left(variant, case) if variant is not None else [], case.control,
    )  # fmt: skip


def _ways_left(variant: CompiledVariant, case: Case) -> list[tuple[int, CompiledSend]]:
    """The entries after the last one tried; those without `after` only where that one failed."""
    left = [(i, send) for i, send in enumerate(variant.sends) if i > case.entry]
    return [(i, send) for i, send in left if send.spec.after is not None] if case.timed_out else left


def note(turn: Turn) -> list[Result]:
    """Records a match of an activity that sends nothing (a watch)."""
    turn.case.note(turn.now)
    return _end_well(turn, "match")


def take_out(turn: Turn) -> list[Result]:
    """Records a member of the control group, who gets nothing; the goal is waited for all the same."""
    turn.case.enter_control(turn.now)
    return _end_well(turn, "control")


def _end_well(turn: Turn, outcome: Outcome) -> list[Result]:
    count_for_once(turn.instant, turn.activity, turn.case)
    keep(turn.instant, turn.activity, turn.case)
    return [record_of(turn.moment, turn.activity, turn.case, outcome)]


def hold(turn: Turn) -> list[Result]:
    """Holds the case until the gate's time. Only the first hold of an attempt is recorded; a hold reserves no slot."""
    case, verdict, state = turn.case, turn.verdict, turn.instant.state
    assert verdict is not None
    assert turn.question is not None
    again, last = bool(case.held_for), turn.question.last_time
    until = verdict.until if last is None else min(verdict.until, last)
    if turn.question.ghost:
        return _wait_as_ghost(turn, verdict, until)
    case.hold(until, verdict.reason or "", verdict.give_up)
    add(state, case)
    if case.attempt and not case.reached:
        free_slots(turn.instant, case)
    return [] if again else [record_of(turn.moment, turn.activity, case, "hold", verdict.reason)]


def _wait_as_ghost(turn: Turn, verdict: Verdict, until: int) -> list[Result]:
    """Of the control group, where the message would be held: recorded at once, and it competes when that would."""
    recorded = [] if turn.case.control else take_out(turn)
    turn.case.hold(until, verdict.reason or "", verdict.give_up)
    add(turn.instant.state, turn.case)
    return recorded


def suppress(turn: Turn) -> list[Result]:
    assert turn.verdict is not None
    return give_up(turn, turn.verdict.reason)


def give_up(turn: Turn, reason: str | None) -> list[Result]:
    """Closes the case with a `suppress` record that says why."""
    record = record_of(turn.moment, turn.activity, turn.case, "suppress", reason)
    record.cause = turn.cause or msgspec.UNSET
    return [*close(turn.instant, turn.activity, turn.case), record]


def send(turn: Turn) -> list[Result]:
    """Sends through the first entry that is left: reserves, records, and makes the candidate for the budget.

    Where the entry that was due has dropped out, the one that stands in for it waits for its own `after`.
    """
    instant, activity, case, question = turn.instant, turn.activity, turn.case, turn.question
    assert question is not None
    index, entry = question.entries[0]
    after = entry.spec.after
    if case.timed_out and after is not None and turn.now < case.counted_from + after:
        case.wait_longer(after)
        return []
    first = case.attempt == 0
    case.send(index, entry.channel, turn.now)
    reserve(instant, activity, case)
    record = record_of(turn.moment, activity, case, "send", send=entry)
    if instant.degraded:
        record.degraded = True
    listen(instant, case, record)
    events: list[Event] = []
    if not instant.awaits_receipt(case, turn.now):
        events = _assume_delivered(turn)
    keep(instant, activity, case)
    budget, units, shared = spending(activity, instant.program, question.scope, turn.now) if first else (None, 0, "")
    case.spend(units if first and shared else case.spent)
    delivery = delivery_of(question, entry, record)
    run, claims = _run_of(activity, case), claims_of(instant, entry, case)
    return [Candidate(record, delivery, activity.spec.priority, budget, run, claims, units, shared), *events]


def _run_of(activity: CompiledActivity, case: Case) -> str:
    """The slot that it came with; "": no calendar has begun it."""
    taken = case.steps.get(SLOT, ()) if activity.spec.schedule is not None else ()
    return str(taken[0].props.get("slot")) if taken else ""


def _assume_delivered(turn: Turn) -> list[Event]:
    """Without delivery workers a send is delivered at once; delivered is not read."""
    case, following = turn.case, turn.following
    case.arrive("delivered")
    if following is not None and following.spec.after is not None and following.spec.unless != "delivered":
        case.stand_in(turn.now, following.spec.after)
    return events_of_receipt(turn.instant, case, case.attempt, "delivered")
