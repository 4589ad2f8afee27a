"""`kairos submit`, `reviews`, `approve`, `reject`: who has agreed to what, told apart by content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kairos.adapters.control.approvals import LAPSE_MS, Approvals, Asked, Submission, Vote
from kairos.adapters.control.database import Control
from kairos.adapters.control.log import Deed
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.workflow.spec import Step, Workflow
from kairos.engine.rule.workflow.steps import KINDS
from kairos.engine.rule.workflow.steps.kind import Decision
from kairos.engine.rule.workflow.subjects import Subject, subjects_of
from kairos.usecases.control.advance import Ask, advance, nobody
from kairos.usecases.control.emergencies import Emergency, settle
from kairos.usecases.control.forecast import NOTHING, Forecast
from kairos.usecases.control.life import Review, last, newest, step_of
from kairos.usecases.control.plan import plans_of
from kairos.usecases.control.rights import Actor, NotAllowedError
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.rules.publish import Proposal

MOST_COMMENT = 4_000


class Standing(msgspec.Struct, frozen=True):
    """How a subject of a change stands. `state`: of life.STATES; `missing`: steps that have not agreed."""

    subject: Subject
    state: str
    missing: tuple[str, ...]


class Reviewed(msgspec.Struct, frozen=True):
    """The newest submission of a subject. `open`: the step whose turn it is. `number`: of the submission."""

    number: int
    subject: str
    meaning: str
    state: str
    open: str | None
    votes: tuple[Vote, ...]
    emergency: int | None = None


def workflow_of(before: RuleSet | None, after: RuleSet) -> Workflow | None:
    """The one in force: what is published has its say on what comes next. None: nobody has to agree."""
    return before.workflow if before is not None and before.workflow is not None else after.workflow


def standings(control: Control, proposal: Proposal, reach: Mapping[str, int | None], now: int) -> list[Standing]:
    """Of everything that the change touches; none where there is no workflow. Raises RuleStoreError."""
    workflow = workflow_of(proposal.before, proposal.after)
    if workflow is None:
        return []
    subjects = subjects_of(proposal.before, proposal.change, workflow, reach)
    known: dict[str, list[Vote]] = {subject.name: [] for subject in subjects}
    for vote in Approvals(control).of(known):
        known[vote.subject].append(vote)
    return [_standing(subject, known[subject.name], now) for subject in subjects]


def submit(
    control: Control,
    proposal: Proposal,
    reach: Mapping[str, int | None],
    actor: Actor,
    now: int,
    emergency: Emergency | None = None,
    forecast: Forecast = NOTHING,
) -> list[Standing]:
    """Asks for what is missing. What is under way already, or agreed, stays as it is; an emergency asks anew for what
    is under way, as it runs from now on. `forecast`: what reviewers read of it beside the differences.

    Raises AskError where nobody has to agree, NotAllowedError, RuleStoreError.
    """
    actor.need("emergency" if emergency is not None else "write")
    found = standings(control, proposal, reach, now)
    if not found:
        raise AskError("there is nothing to submit: nothing has changed, or there is no workflow.yaml")
    first = [f"emergency: {emergency.reason}"] if emergency is not None else []
    plans = plans_of(proposal, [each.subject for each in found])
    for each in found:
        if each.state in ("draft", "rejected", "lapsed") or (emergency is not None and each.state == "in_review"):
            key = (each.subject.name, each.subject.meaning, each.subject.plan)
            steps = [_asked(name, step) for name, step in each.subject.steps.items()]
            deed = Deed(actor.name, "submit", f"review/{each.subject.name}", now)
            name = each.subject.name
            submission = Submission([*first, *plans[name]], forecast.lines(each.subject, reach.get(name)))
            Approvals(control).submit(key, steps, submission, deed, emergency.release if emergency else None)
    return standings(control, proposal, reach, now)


def reviews(control: Control, now: int, ask: Ask = nobody) -> list[Reviewed]:
    """The newest submission of every subject, those that wait longest first. What comes by itself is done before."""
    advance(control, now, ask)
    emergencies = Approvals(control).emergencies()
    submitted = newest(Approvals(control).newest())
    found = [_reviewed(votes, now, emergencies.get(votes[0].number)) for votes in submitted.values()]
    return sorted(found, key=lambda each: (each.state != "in_review", each.votes[0].requested_at, each.subject))


def why_not(control: Control, subject: str, actor: Actor, now: int) -> str | None:
    """Why the actor cannot decide on this submission; None: they can."""
    votes = Approvals(control).of([subject])
    review = Review(newest(votes).get(subject, []), now)
    if not review.open:
        return f"{subject} is {review.state.replace('_', ' ')}: there is nothing to decide"
    try:
        _vote_of(actor, review.open, votes)
    except NotAllowedError as error:
        return str(error)
    return None


def approve(control: Control, subject: str, meaning: str | None, comment: str, actor: Actor, now: int) -> Reviewed:
    """One vote for what was submitted; `meaning`: the beginning of its hash, that nobody agrees to what they have not
    read. Raises NotThereError, NotAllowedError, AskError, RuleStoreError."""
    return _decide(control, subject, meaning, "approved", comment, actor, now)


def reject(control: Control, subject: str, meaning: str | None, comment: str, actor: Actor, now: int) -> Reviewed:
    """Sends a submission back, with a comment that says why; it has to be submitted again. Raises as `approve` does."""
    if not comment.strip():
        raise AskError("say why: --comment")
    return _decide(control, subject, meaning, "rejected", comment, actor, now)


# -------------------------------------------------------------------------------------------------------- deciding
def _decide(
    control: Control, subject: str, meaning: str | None, decision: Decision, comment: str, actor: Actor, now: int
) -> Reviewed:
    def choose(votes: Sequence[Vote]) -> Vote:
        """Asked within the transaction: what stands then is what counts."""
        submitted = newest(votes).get(subject)
        if submitted is None:
            raise NotThereError(f"nothing of '{subject}' is submitted")
        if meaning is not None and not submitted[0].meaning_hash.startswith(meaning):
            raise AskError(f"{subject} was submitted again: look at {subject}@{submitted[0].meaning_hash[:12]} first")
        review = Review(submitted, now)
        if not review.open:
            raise AskError(f"{subject} is {review.state}: there is nothing to decide")
        return _vote_of(actor, review.open, votes)

    values = {
        "decision": decision,
        "decided_by": actor.name,
        "decided_at": now,
        "comment": comment[:MOST_COMMENT],
        "expires_at": now + LAPSE_MS,
    }
    action = "approve" if decision == "approved" else "reject"
    approvals = Approvals(control)
    approvals.decide(subject, choose, Deed(actor.name, action, "", now), **values)
    settle(control, now)
    submitted = newest(approvals.of([subject]))[subject]
    return _reviewed(submitted, now, approvals.emergencies().get(submitted[0].number))


def _vote_of(actor: Actor, waiting: list[Vote], votes: Sequence[Vote]) -> Vote:
    """The one that the actor may give. Raises NotAllowedError."""
    step, kind = waiting[0].step, step_of(waiting[0])
    asked = KINDS[kind.kind].asked(kind.said)
    if asked is None:
        raise NotAllowedError(f"step {step} is not for people to decide")
    if not (actor.reviews(step) or actor.reviews(asked)):
        raise NotAllowedError(f"{actor.name} may not decide in step {step}: it takes the role reviewer:{asked}")
    key = waiting[0].key
    if actor.name in {vote.requested_by for vote in votes if vote.key[:2] == key[:2]}:
        raise NotAllowedError(f"{actor.name} has submitted it, and does not decide on it")
    given = [vote for vote in votes if vote.key == key and vote.requested_at == waiting[0].requested_at]
    if any(vote.decided_by == actor.name and vote.step == step for vote in given):
        raise NotAllowedError(f"{actor.name} has decided in step {step} already: it takes somebody else")
    return waiting[0]


# ----------------------------------------------------------------------------------------------------------- reading
def _standing(subject: Subject, votes: Sequence[Vote], now: int) -> Standing:
    """What counts is the newest submission of this very content, by steps that ask for the same as those of today."""
    if not subject.steps:
        return Standing(subject, "approved", ())
    key = (subject.name, subject.meaning, subject.plan)
    mine = last([vote for vote in votes if vote.key == key])
    wanted = [(name, step.policy) for name, step in subject.steps.items()]
    if not mine or list(dict.fromkeys((vote.step, vote.policy) for vote in mine)) != wanted:
        return Standing(subject, "draft", tuple(subject.steps))
    missing = tuple(dict.fromkeys(vote.step for vote in mine if vote.decision != "approved"))
    return Standing(subject, Review(mine, now).state, missing)


def _reviewed(votes: list[Vote], now: int, emergency: int | None) -> Reviewed:
    review = Review(votes, now)
    step = review.open[0].step if review.open else None
    return Reviewed(
        votes[0].number, votes[0].subject, votes[0].meaning_hash, review.state, step, tuple(votes), emergency
    )


def _asked(name: str, step: Step) -> Asked:
    return Asked(name, step.policy, KINDS[step.kind].votes(step.said))
