"""Candidates of one group and one user, at one instant: those that the gates allow compete, and the best win.

Where the group collects, whoever may go waits for the end of its window; then all gates are asked again. Several win
one after the other, because what one uses up may be what the next one would have needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kairos.engine.case.deciding import in_time
from kairos.engine.case.life import put_forward, step
from kairos.engine.case.table import Input
from kairos.engine.case.turn import Turn
from kairos.engine.decision import Choice, Record, Rival, Verdict
from kairos.engine.effect import Candidate, Result
from kairos.engine.gate.question import competes
from kairos.engine.gate.worth import number, worth_of
from kairos.engine.matching.choosing import draw, free_at, free_slots, salt_of
from kairos.engine.policy.spec import Group
from kairos.engine.rule.compile import Program
from kairos.engine.user.case import Case
from kairos.engine.user.cases import add
from kairos.engine.user.moment import Instant
from kairos.engine.user.state import Slots

RETRIED = 30 * 86_400_000
"""ms after its match from which on a loser is not held for another slot."""
DIGITS = 9
"""Of a score: scores that differ only by how they were added up are the same."""
Decided = tuple[Case, list[Result]]


class Contender(msgspec.Struct, eq=False):
    """A candidate that the gates allow. `score` None: it cannot be told."""

    turn: Turn
    score: float | None
    cost: float | None
    price: float | None

    @property
    def case(self) -> Case:
        return self.turn.case

    @property
    def ghost(self) -> bool:
        """Of the control group: nothing is sent, whether it wins or not."""
        return self.turn.question is not None and self.turn.question.ghost

    @property
    def order(self) -> tuple[float, int, str, int, str]:
        """Best first; ties by priority, name, time of the match."""
        case = self.case
        first = self.turn.activity.first_priority
        return (-(self.score or 0.0), first, case.activity, case.matched_at, case.occurrence)


def by_group(due: Iterable[tuple[Instant, Case]]) -> Iterator[tuple[Instant, Group | None, list[Case]]]:
    """The cases that are due, in the order in which they are decided: a group at the place of its first candidate. What
    is on trial competes with what else is."""
    turns: dict[tuple[int, str], tuple[Instant, Group | None, list[Case]]] = {}
    for place, (instant, case) in enumerate(due):
        group = _group_of(instant.program, case)
        key = (id(instant), group.name if group is not None else f"/{place}")
        turns.setdefault(key, (instant, group, []))[2].append(case)
    yield from turns.values()


def _group_of(program: Program, case: Case) -> Group | None:
    """None: it does not compete, or has won already and goes on with its next attempt."""
    activity = program.compiled(case.activity, case.version)
    if activity is None or case.attempt or not competes(activity, program):
        return None
    return program.policy.matching[activity.spec.matching or ""]


def compete(instant: Instant, group: Group, cases: Iterable[Case]) -> Iterator[Decided]:
    """Every case and what comes of it, in order. Each is to be settled with the budgets before the next one is asked
    for: what is refused has used up none of the slots in caps that the next one may need."""
    slots = _slots_of(instant, group)
    allowed: list[Contender] = []
    for case in cases:
        collected = case.collected == group.name
        results, turn = put_forward(instant, case)
        if turn is None:
            yield case, results
        elif group.collect and not collected:
            _collect(instant, group, slots, turn)
        else:
            allowed.append(_contender(group, turn))
    worth = [contender for contender in allowed if _is_worth(group, contender)]
    for contender in allowed:
        if contender not in worth:
            choice = Choice(group.name, contender.score, 0.0, won=False)
            yield _lose(contender, choice, _suppress("not_worth", contender, f"the floor is {group.floor}"))
    yield from _draw_all(instant, group, slots, sorted(worth, key=lambda contender: contender.order))
    if not slots.wins and slots.closes <= instant.now:
        del instant.state.matching[group.name]


def _slots_of(instant: Instant, group: Group) -> Slots:
    """The slots of the group for this user, without wins that no longer count."""
    slots = instant.state.matching.setdefault(group.name, Slots())
    slots.wins = [at for at in slots.wins if at > instant.now - (group.per or 1)]
    return slots


def _collect(instant: Instant, group: Group, slots: Slots, turn: Turn) -> None:
    """It joins the window that is open, or opens one. A window is [opened, closed)."""
    if slots.closes <= instant.now:
        slots.closes = instant.now + group.collect
    _wait(instant, turn, group, slots.closes)
    _tell(turn, Verdict("hold", until=slots.closes, why=f"waits for the others of {group.name}"))


def _wait(instant: Instant, turn: Turn, group: Group, until: int) -> None:
    turn.case.collect(group.name, until)
    add(instant.state, turn.case)


def _contender(group: Group, turn: Turn) -> Contender:
    """`price`: of what a message costs, the part that a shared budget adds."""
    program, question, activity = turn.instant.program, turn.question, turn.activity
    assert question is not None
    worth = worth_of(activity, program, question.scope)
    asked = msgspec.structs.replace(question.scope, props=worth, event=None)
    score, cost, price = number(program.scores[group.name](asked)), worth["cost"], None
    if activity.spec.limits.shared in program.policy.budgets:
        price = program.rules.prices.get(activity.spec.limits.shared or "", 0.0)
        score = None if score is None or cost is None else score - price * cost
    rounded = None if score is None else round(score, DIGITS) + 0.0
    return Contender(turn, rounded, cost if price is not None else None, price)


def _is_worth(group: Group, contender: Contender) -> bool:
    return contender.score is not None and (group.floor is None or contender.score >= group.floor)


def _draw_all(instant: Instant, group: Group, slots: Slots, left: list[Contender]) -> Iterator[Decided]:
    """Draws the winners, as many as there are free slots; the others lose."""
    last, rivals = slots.wins[-1] if slots.wins else None, _rivals(left, [0.0] * len(left))
    drawn = 0
    while left and free_slots(slots.wins, group.choose, group.per, instant.now):
        if drawn:
            ended, left = _ask_again(left)
            yield from ended
            if not left:
                return
        salt = salt_of(group.name, left[0].case.occurrence, drawn)
        winner, chances = draw(len(left), group.explore, salt, instant.user_id)
        rivals, won = _rivals(left, chances), left.pop(winner)
        slots.wins.append(instant.now)
        yield _win(won, Choice(group.name, won.score, chances[winner], True, rivals))
        drawn += 1
    chances_of = {} if not drawn else dict(zip((id(c) for c in left), _others(rivals, winner), strict=True))
    for contender in left:
        taken = None if drawn else last
        choice = Choice(group.name, contender.score, chances_of.get(id(contender), 0.0), False, rivals, taken)
        yield _lose(contender, choice, _outranked(instant, group, slots, contender))
        if group.losers == "retry" and group.per is None and contender.case.held_until:
            slots.closes = instant.now + group.collect
            _wait(instant, contender.turn, group, slots.closes)


def _others(rivals: Sequence[Rival], winner: int) -> list[float]:
    return [rival.p for place, rival in enumerate(rivals) if place != winner]


def _rivals(contenders: Sequence[Contender], chances: Sequence[float]) -> tuple[Rival, ...]:
    return tuple(
        Rival(contender.case.activity, contender.score or 0.0, chance, contender.cost, contender.price)
        for contender, chance in zip(contenders, chances, strict=True)
    )


def _ask_again(contenders: Iterable[Contender]) -> tuple[list[Decided], list[Contender]]:
    """Asks the gates again after a send: (contenders that it has stopped, contenders that are left)."""
    ended: list[Decided] = []
    left: list[Contender] = []
    for contender in contenders:
        results, turn = put_forward(contender.turn.instant, contender.case)
        if turn is None:
            ended.append((contender.case, results))
        else:
            contender.turn = turn
            left.append(contender)
    return ended, left


def _win(contender: Contender, choice: Choice) -> Decided:
    _tell_choice(contender, choice)
    results = step(Input.CONTROL if contender.ghost else Input.ALLOWED, contender.turn)
    return contender.case, _with(choice, results)


def _lose(contender: Contender, choice: Choice, verdict: Verdict) -> Decided:
    """Records a loser. Of the control group that is a `control` record, whatever became of the slot."""
    _tell_choice(contender, choice)
    given = Input.HOLD if verdict.outcome == "hold" else Input.CONTROL if contender.ghost else Input.SUPPRESS
    results = step(given, msgspec.structs.replace(contender.turn, verdict=verdict))
    return contender.case, _with(choice, results)


def _outranked(instant: Instant, group: Group, slots: Slots, contender: Contender) -> Verdict:
    reason = f"outranked:{group.name}"
    if group.losers == "drop" or instant.now >= contender.case.matched_at + RETRIED:
        return _suppress(reason, contender)
    until = instant.now + group.collect if group.per is None else free_at(slots.wins, group.choose, group.per)
    assert contender.turn.question is not None
    return in_time(contender.turn.question, Verdict("hold", reason, until)) or _suppress(reason, contender)


def _suppress(reason: str, contender: Contender, why: str = "") -> Verdict:
    return Verdict("suppress", reason, why=why)


def _with(choice: Choice, results: list[Result]) -> list[Result]:
    for result in results:
        record = result.record if isinstance(result, Candidate) else result
        if isinstance(record, Record):
            record.choice = choice
    return results


def _tell(turn: Turn, verdict: Verdict | None) -> None:
    observer = turn.instant.surroundings.observer
    if observer is not None:
        assert turn.question is not None
        observer.gate(turn.activity, turn.question.scope, turn.case, "matching", verdict)


def _tell_choice(contender: Contender, choice: Choice) -> None:
    observer = contender.turn.instant.surroundings.observer
    if observer is not None:
        observer.compared(contender.turn.activity, contender.turn.instant, contender.case, choice, contender.ghost)
