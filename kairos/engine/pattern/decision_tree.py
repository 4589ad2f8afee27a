"""What an event does to a run, by state and event type: the automaton with everything known beforehand worked out.

For one event type most atoms are decided: a step of other types does not take it. What remains of a state's edges,
PROCEED chains followed, is a binary tree of questions. Its leaves are `Outcome`s that cost nothing to build when an
event arrives. Trees grow on demand, so that a pattern with many conditions costs only the combinations that occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kairos.engine.pattern.formula import Atom, Formula, both, either, first_atom, settle
from kairos.engine.pattern.graph import Action, Edge, Graph, Kind, State

KEPT_DEPTH = 10
"""Deeper branches are worked out each time: 2^10 combinations of answers are kept for one state and event type."""


@dataclass(frozen=True, slots=True)
class Move:
    """One successor of a run: with the event taken by `step`, or, if `step` is None, without it.

    `target` is the number of its state, None if it is a match. `ends`: it is a match as well, since nothing more is
    needed.
    """

    step: int | None
    target: int | None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a run. `stopped`: only its matches remain. `stays`: it is the same run afterwards."""

    moves: tuple[Move, ...]
    stopped: bool
    stays: bool


@dataclass(frozen=True, slots=True)
class _Option:
    """A move made where `guard` holds, a match as well where `ends` does; `move` None: the run is stopped."""

    guard: Formula
    move: Move | None
    ends: Formula = False


class Question:
    """A node of the tree: the answer to `number` (of `Atom.number`) decides between the branches."""

    __slots__ = ("_atom", "_branches", "_depth", "_options", "_state", "number")

    def __init__(self, atom: Atom, options: tuple[_Option, ...], state: int, depth: int) -> None:
        self.number = atom.number
        self._atom = atom
        self._options = options
        self._state = state
        self._depth = depth
        self._branches: list[Question | Outcome | None] = [None, None]

    def branch(self, answer: bool) -> Question | Outcome:
        found = self._branches[answer]
        if found is None:
            found = _grow(self._options, {self._atom: answer}, self._state, self._depth + 1)
            if self._depth < KEPT_DEPTH:
                self._branches[answer] = found
        return found


Node = Question | Outcome


def build_tree(graph: Graph, state: State, known: Mapping[Atom, bool]) -> Node:
    """The tree for one state, with `known` of the event type: an atom missing there has to be asked."""
    return _grow(tuple(_options(graph, state)), known, state.number, 0)


def _options(graph: Graph, state: State) -> Iterator[_Option]:
    """All that may happen in a state, in the order in which Flink's NFA creates the successors."""
    waiting: list[tuple[State, Formula]] = [(state, True)]
    while waiting:
        current, guard = waiting.pop()
        for edge in current.edges:
            reached = both(guard, edge.guard)
            if edge.action is Action.PROCEED:
                waiting.append((edge.target, reached))
            elif edge.action is Action.TAKE or state is not graph.start:
                yield _option(current, edge, reached)


def _option(source: State, edge: Edge, guard: Formula) -> _Option:
    if edge.target.kind is Kind.STOP:
        return _Option(guard, None)
    step = source.step if edge.action is Action.TAKE else None
    target = None if edge.target.kind is Kind.FINAL else edge.target.number
    return _Option(guard, Move(step, target), False if step is None else _ends(edge.target))


def _ends(state: State) -> Formula:
    """When PROCEED edges alone lead from this state to the final one."""
    found: Formula = False
    for edge in state.edges:
        if edge.action is Action.PROCEED:
            rest = True if edge.target.kind is Kind.FINAL else _ends(edge.target)
            found = either(found, both(edge.guard, rest))
    return found


def _grow(options: tuple[_Option, ...], known: Mapping[Atom, bool], state: int, depth: int) -> Node:
    rest = []
    for option in options:
        guard = settle(option.guard, known)
        if guard is not False:
            rest.append(_Option(guard, option.move, settle(option.ends, known)))
    for option in rest:
        atom = first_atom(option.guard)
        if atom is None:
            atom = first_atom(option.ends)
        if atom is not None:
            return Question(atom, tuple(rest), state, depth)
    return _outcome(rest, state)


def _outcome(options: list[_Option], state: int) -> Outcome:
    moves = tuple(Move(o.move.step, o.move.target, o.ends is True) for o in options if o.move is not None)
    stopped = any(option.move is None for option in options)
    return Outcome(moves, stopped, stays=not stopped and moves == (Move(None, state),))
