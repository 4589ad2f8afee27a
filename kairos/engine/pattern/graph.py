"""The automaton of a pattern: states and edges, built from the last step to the first.

The construction follows Flink CEP's (NFACompiler of flink-cep 2.3.0), peculiarities included, because its results are
the contract. In short: a step becomes a chain of states, one for each repetition; an optional one has a PROCEED edge to
what comes after it; an open repetition is a state that takes into itself; an `absent` becomes edges to a STOP state on
the states that wait after it, or, as the last step, a PENDING state that turns into a match at the deadline.

A state that may be left by IGNORE and by PROCEED on the same event has a twin without the PROCEED edge as the target of
its IGNORE, so that each way forward is branched off once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from kairos.engine.pattern.formula import Atom, Formula, both, negate
from kairos.engine.pattern.spec import Pattern, Step, Times


class Kind(Enum):
    """What being in a state means."""

    NORMAL = "normal"
    PENDING = "pending"  # a match once the deadline has passed
    STOP = "stop"  # something forbidden came: the run and its branches of this event are dropped
    FINAL = "final"


class Action(Enum):
    """TAKE adds the event to the run, IGNORE passes over it, PROCEED asks the next state about the same event."""

    TAKE = "take"
    IGNORE = "ignore"
    PROCEED = "proceed"


@dataclass(eq=False, slots=True)
class Edge:
    """A way out of a state, open where `guard` is true."""

    action: Action
    target: State
    guard: Formula


@dataclass(eq=False, slots=True)
class State:
    """`step` is the number of the step that it belongs to, `number` its place in `Graph.states`."""

    number: int
    step: int
    kind: Kind
    edges: list[Edge] = field(default_factory=list)

    def add(self, action: Action, target: State, guard: Formula) -> None:
        self.edges.append(Edge(action, target, guard))


@dataclass(frozen=True)
class Graph:
    """States in an order that depends on the pattern's shape alone, so that runs can be stored by number."""

    states: tuple[State, ...]
    start: State
    final: State


def build_graph(pattern: Pattern) -> Graph:
    """The automaton of a pattern that `check_pattern` finds no error in."""
    return _Builder(pattern.steps, pattern.ends_by_time).build()


def bounds(step: Step) -> tuple[int, int | None] | None:
    """(least, most) of a step's repetition, most None if open; None if it takes exactly one event."""
    if step.times is None:
        return None
    return max(1, step.times.least), step.times.most


def is_optional(step: Step) -> bool:
    """`times: {min: 0}` is optional."""
    return step.optional or (step.times is not None and step.times.least == 0)


class _Builder:
    def __init__(self, steps: Sequence[Step], windowed: bool) -> None:
        self._steps = steps
        self._windowed = windowed
        self._states: list[State] = []
        self._stops: dict[int, State] = {}
        # Greedy steps with `until` replace their sink by a version that yields to them; by sink, what it was before.
        self._ungreedy: dict[int, State] = {}

    def build(self) -> Graph:
        final = self._state(-1, Kind.FINAL)
        sink = final
        for index in range(len(self._steps) - 1, 0, -1):
            sink = self._prepend(index, sink)
        start = self._event(0, sink)
        return Graph(tuple(self._states), start, final)

    def _prepend(self, index: int, sink: State) -> State:
        kind = self._steps[index].kind
        if kind == "absent":
            return self._pending(index) if sink.kind is Kind.FINAL and self._windowed else sink
        if kind == "not_next":
            return self._not_next(index, sink)
        return self._event(index, sink)

    def _state(self, step: int, kind: Kind = Kind.NORMAL) -> State:
        state = State(len(self._states), step, kind)
        self._states.append(state)
        return state

    def _stop(self, index: int) -> State:
        """One STOP state for each forbidden step; it takes what is forbidden, which ends the run."""
        if index not in self._stops:
            stop = self._state(index, Kind.STOP)
            stop.add(Action.TAKE, stop, Atom(index))
            self._stops[index] = stop
        return self._stops[index]

    def _pending(self, index: int) -> State:
        pending = self._state(index, Kind.PENDING)
        pending.add(Action.PROCEED, self._stop(index), Atom(index))
        pending.add(Action.IGNORE, pending, negate(Atom(index)))
        return pending

    def _not_next(self, index: int, sink: State) -> State:
        state = self._state(index)
        # As the last step it needs an event to be decided by, so a mere PROCEED to the final state will not do.
        action = Action.IGNORE if sink.kind is Kind.FINAL else Action.PROCEED
        state.add(action, sink, negate(Atom(index)))
        state.add(Action.PROCEED, self._stop(index), Atom(index))
        return state

    def _event(self, index: int, sink: State) -> State:
        step = self._steps[index]
        repetition = bounds(step)
        if repetition is None:
            first = self._single(index, sink, sink, Atom(index), self._ignores(index), is_optional(step))
        else:
            least, most = repetition
            loop = self._loop(index, self._without_nots(index, sink)) if most is None else sink
            first = self._times(index, loop, sink, Times(least, least if most is None else most))
        self._stop_before(index, first)
        return first

    def _single(
        self, index: int, sink: State, after: State | None, takes: Formula, ignores: Formula, optional: bool
    ) -> State:
        """One repetition: takes into `sink`, and, if optional, proceeds to `after`."""
        state = self._state(index)
        sink = self._without_nots(index, sink)
        state.add(Action.TAKE, sink, takes)
        if optional and after is not None:
            self._leave(index, state, after)
        if ignores is not False:
            twin = state
            if optional:
                twin = self._state(index)
                twin.add(Action.TAKE, sink, takes)
                twin.add(Action.IGNORE, twin, ignores)
                self._stop_before(index, twin)
            state.add(Action.IGNORE, twin, ignores)
        return state

    def _leave(self, index: int, state: State, after: State) -> None:
        """PROCEED edges out of a repetition that may end here."""
        step = self._steps[index]
        if step.greedy and step.until is not None:
            until = Atom(index, until=True)
            state.add(Action.PROCEED, self._ungreedy.get(after.number, after), until)
            state.add(Action.PROCEED, after, negate(until))
        else:
            state.add(Action.PROCEED, after, True)

    def _times(self, index: int, sink: State, after: State, times: Times) -> State:
        """`times.least` to `times.most` repetitions, the last one taking into `sink`."""
        step = self._steps[index]
        assert times.most is not None
        takes = self._unless_until(index, Atom(index))
        ignores = self._unless_until(index, self._ignores_inside(index))
        if step.greedy and times.least != times.most:
            self._make_greedy(index, sink, takes)
        for _ in range(times.most - times.least):
            sink = self._single(index, sink, after, takes, ignores, optional=True)
            self._stop_after(index, sink)
        for _ in range(times.least - 1):
            sink = self._single(index, sink, None, takes, ignores, optional=False)
            self._stop_after(index, sink)
        return self._single(index, sink, after, takes, self._ignores(index), is_optional(step))

    def _loop(self, index: int, sink: State) -> State:
        """The open end of a repetition: takes into itself, and may be left for `sink` at any time."""
        takes = self._unless_until(index, Atom(index))
        ignores = self._unless_until(index, self._ignores_inside(index))
        loop = self._state(index)
        if self._steps[index].greedy:
            if self._steps[index].until is not None:
                self._ungreedy[sink.number] = self._copy(sink)
            self._leave(index, loop, sink)
            self._yield_to(sink, Atom(index))
        else:
            self._leave(index, loop, sink)
        loop.add(Action.TAKE, loop, takes)
        self._stop_after(index, loop)
        if ignores is not False:
            twin = self._state(index)
            twin.add(Action.TAKE, loop, takes)
            twin.add(Action.IGNORE, twin, ignores)
            loop.add(Action.IGNORE, twin, ignores)
            self._stop_after(index, twin)
        return loop

    def _make_greedy(self, index: int, sink: State, takes: Formula) -> None:
        if self._steps[index].until is not None:
            self._ungreedy[sink.number] = self._copy(sink)
        self._yield_to(sink, takes)

    def _yield_to(self, sink: State, takes: Formula) -> None:
        """What follows a greedy step gets only the events that the step itself would not take."""
        for edge in sink.edges:
            edge.guard = both(edge.guard, negate(takes))

    def _copy(self, state: State) -> State:
        copy = self._state(state.step, state.kind)
        for edge in state.edges:
            copy.add(edge.action, copy if edge.target is state else edge.target, edge.guard)
        return copy

    def _without_nots(self, index: int, sink: State) -> State:
        """A version of `sink` for runs in which an optional step took an event: the `absent` before it is over.

        After `a, absent b, c (optional), d` the stream a c b d matches, a b d does not.
        """
        nots = self._nots_before(index)
        if not nots or not is_optional(self._steps[index]):
            return sink
        copy = self._state(sink.step, sink.kind)
        for edge in sink.edges:
            target = edge.target
            if edge.action is not Action.PROCEED:
                copy.add(edge.action, copy if target is sink else target, edge.guard)
            elif target.kind is not Kind.STOP:
                copy.add(edge.action, self._without_nots(index, target), edge.guard)
            elif target.step not in nots:
                copy.add(edge.action, target, edge.guard)
        return copy

    def _nots_before(self, index: int) -> list[int]:
        """The `absent` steps in force where this step waits: those right before it, seen through optional steps."""
        found = []
        while index > 0:
            index -= 1
            if self._steps[index].kind == "absent":
                found.append(index)
            elif not is_optional(self._steps[index]):
                break
        return found

    def _stop_before(self, index: int, state: State) -> None:
        for forbidden in self._nots_before(index):
            state.add(Action.PROCEED, self._stop(forbidden), Atom(forbidden))

    def _stop_after(self, index: int, state: State) -> None:
        """Between repetitions an `absent` that follows is in force already."""
        following = index + 1
        if following < len(self._steps) and self._steps[following].kind == "absent":
            state.add(Action.PROCEED, self._stop(following), Atom(following))

    def _unless_until(self, index: int, guard: Formula) -> Formula:
        if self._steps[index].until is None:
            return guard
        return both(negate(Atom(index, until=True)), guard)

    def _ignores(self, index: int) -> Formula:
        """What may be passed over while the step waits for its first event; False: nothing."""
        contiguity = "strict" if index == 0 else self._steps[index].next
        return {"strict": False, "relaxed": negate(Atom(index)), "any": True}[contiguity]

    def _ignores_inside(self, index: int) -> Formula:
        """What may be passed over between repetitions."""
        return {"consecutive": False, "relaxed": negate(Atom(index)), "any": True}[self._steps[index].inside]
