"""Steps of an approval that come by themselves: time has passed, or another system has answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import msgspec

from kairos.adapters.control.approvals import LAPSE_MS, Approvals, Vote
from kairos.adapters.control.database import Control
from kairos.adapters.control.log import Deed
from kairos.engine.rule.workflow.steps import KINDS
from kairos.engine.rule.workflow.steps.kind import AskUrl, Decision
from kairos.usecases.control.emergencies import settle
from kairos.usecases.control.life import Review, newest, step_of
from kairos.usecases.errors import AskError

PATIENCE_SECONDS = 10.0
"""For the answers of all systems together: who reads the reviews waits for no more."""
MOST_AT_ONCE = 16


class Answer(msgspec.Struct, frozen=True):
    """What the system behind a webhook has said."""

    decision: Decision
    comment: str = ""


Ask = Callable[[str, Mapping[str, str]], Answer | None]
"""URL and what is posted -> its answer; None: it has not said anything that can be understood."""
Said = tuple[str, Answer]
"""By whom, and what."""


def nobody(_url: str, _body: Mapping[str, str]) -> Answer | None:
    """Asks no webhook."""


def asking(post: Callable[[str, Mapping[str, str]], Mapping[str, Any] | None]) -> Ask:
    """Asks webhooks by a POST over HTTP; an answer that is no decision counts as none."""

    def ask(url: str, body: Mapping[str, str]) -> Answer | None:
        said = post(url, body) or {}
        decision = said.get("decision")
        return Answer(decision, str(said.get("comment", ""))) if decision in ("approved", "rejected") else None

    return ask


def advance(control: Control, now: int, ask: Ask, patience: float = PATIENCE_SECONDS) -> None:
    """What time or other systems decide, of every submission that is open. Each system is asked once a step, all of
    them together: `ask` is called in threads. What is not answered within `patience` seconds stays open."""
    approvals = Approvals(control)
    found = (Review(votes, now) for votes in newest(approvals.newest()).values())
    turn = [review for review in found if review.open]
    while turn:
        said = _by_themselves(turn, now, ask, patience)
        decided = [(review.open[0], each) for review, each in zip(turn, said, strict=True) if each is not None]
        for vote, each in decided:
            _decide(approvals, vote, each, now)
        votes = newest(approvals.of([vote.subject for vote, _ in decided])) if decided else {}
        turn = [review for review in (Review(each, now) for each in votes.values()) if review.open]
    settle(control, now)


def _by_themselves(reviews: Sequence[Review], now: int, ask: Ask, patience: float) -> list[Said | None]:
    """What is said in the open step of each; None: nothing yet."""
    found: list[Said | None] = []
    questions: dict[int, tuple[str, dict[str, str]]] = {}
    for place, review in enumerate(reviews):
        vote = review.open[0]
        step = step_of(vote)
        said = KINDS[step.kind].by_itself(step.said, review.opened_at, now)
        if isinstance(said, AskUrl) and ask is not nobody:
            body = {"subject": vote.subject, "meaning": vote.meaning_hash, "plan": vote.plan_hash, "step": vote.step}
            questions[place] = (said.url, {**body, "requested_by": vote.requested_by})
        found.append(("clock", Answer(said)) if isinstance(said, str) else None)
    for place, answer in zip(questions, _together(ask, list(questions.values()), patience), strict=True):
        found[place] = ("webhook", answer) if answer is not None else None
    return found


def _together(ask: Ask, questions: Sequence[tuple[str, Mapping[str, str]]], patience: float) -> list[Answer | None]:
    if not questions:
        return []
    pool = ThreadPoolExecutor(min(len(questions), MOST_AT_ONCE), "kairos-webhook")
    try:
        asked = [pool.submit(ask, *question) for question in questions]
        done, _ = wait(asked, patience)
        return [each.result() if each in done else None for each in asked]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _decide(approvals: Approvals, vote: Vote, said: Said, now: int) -> None:
    by, answer = said
    values = {"decision": answer.decision, "decided_by": by, "decided_at": now, "comment": answer.comment}
    try:
        choose = partial(_still_open, vote.number)
        approvals.decide(vote.subject, choose, Deed(by, "decide", "", now), **values, expires_at=now + LAPSE_MS)
    except AskError:
        return  # who read the reviews at the same time had the answer, too


def _still_open(number: int, votes: Sequence[Vote]) -> Vote:
    found = next(vote for vote in votes if vote.number == number)
    if found.decision is not None:
        raise AskError(f"{found.subject}: somebody else was first")
    return found
