"""Runs of a pattern's automaton over the events of one partition.

Semantics are those of Flink CEP's NFA (NFA.java of flink-cep 2.3.0) on the graph that graph.py builds, with one
deliberate difference: at its deadline an `absent` at the end is decided for every run that needs nothing more, where
Flink decides it only for runs that have left the step before it (a repetition that could go on has not).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kairos.engine.event import Event
from kairos.engine.expression.scope import Scope
from kairos.engine.pattern.after_match import AfterMatch, Standing
from kairos.engine.pattern.conditions import Conditions
from kairos.engine.pattern.deadlines import Deadlines
from kairos.engine.pattern.decision_tree import Node, Outcome, Question, build_tree
from kairos.engine.pattern.graph import Graph, Kind
from kairos.engine.pattern.marks import Marks, last_mark, numbers, spans, steps_of, view_of, with_mark
from kairos.engine.pattern.runs import Kept, Match, Progress, Run, Runs, keep
from kairos.engine.pattern.spec import Pattern
from kairos.engine.pattern.surplus import Surplus
from kairos.engine.size import size_of

NO_RUN = Run(-1, ())


class Automaton:
    """The general matcher; see `matcher.Matcher` for its methods."""

    stateless = False

    def __init__(
        self,
        pattern: Pattern,
        shape: str,
        graph: Graph,
        conditions: Conditions,
        strategy: AfterMatch,
        keeps: Mapping[str, tuple[str, ...]],
        max_runs: int,
    ) -> None:
        """`keeps`: event type -> the props to keep of a taken event."""
        self.types = frozenset(keeps)
        self.shape = shape
        self.has_final_absence = pattern.steps[-1].kind == "absent"
        self._names = tuple(step.name for step in pattern.steps)
        self._steps = len(self._names)
        self._last = pattern.steps[-1]
        self._deadlines = Deadlines(pattern, graph)
        self._graph = graph
        self._start = graph.start.number
        self._stop = next((state.number for state in graph.states if state.kind is Kind.STOP), -1)
        self._pending = self._deadlines.pending
        self._conditions = conditions
        self._asked = conditions.asked
        self._strategy = strategy
        self._surplus = Surplus(pattern, graph, conditions) if pattern.after_match.kind == "exclusive" else None
        self._keeps = keeps
        self._max_runs = max_runs
        self._trees: dict[str, list[Node | None]] = {name: [None] * len(graph.states) for name in keeps}
        self.opening = frozenset(name for name in keeps if _leads_anywhere(self._tree(name, self._start)))

    def on_event(
        self, runs: Runs | None, event: Event, scope: Scope, start: bool = True
    ) -> tuple[Runs | None, list[Match]]:
        if runs is None and not (start and self._starting(event, None, scope, {}).moves):
            return None, []
        matches: list[Match] = []
        if runs is not None and self._deadlines.some:
            end = self._deadlines.first(runs)
            if end is not None and end <= event.time:
                runs, matches = self.on_time(runs, event.time)
        answers: dict[int, bool] = {}
        kept: list[Run] = []
        finished: list[Marks] = []
        changed = ended = False
        number = 0
        if runs is not None:
            number, trees = runs.following, self._trees[event.type]
            for run in runs.runs:
                node = trees[run.state] or self._tree(event.type, run.state)
                outcome = node if isinstance(node, Outcome) else self._decide(node, run, runs, scope, answers)
                if outcome.stays:
                    kept.append(run)
                else:
                    changed = True
                    before = len(kept)
                    self._advance(run.taken, outcome, number, kept, finished)
                    ended = ended or len(kept) == before
        if start and (moves := self._starting(event, runs, scope, answers)).moves:
            self._advance((), moves, number, kept, finished)
        elif not changed:
            return runs, matches
        if self._surplus is not None and (needed := self._surplus.without(kept)) is not kept:
            kept, ended = needed, True
        if not (ended or finished or (runs is not None and runs.waiting)) and len(kept) <= self._max_runs:
            return self._grown(runs, kept, number, event), matches
        after, done = self._settle(runs, kept, finished, event.time, (number, event))
        return after, matches + done if matches else done

    def on_time(self, runs: Runs | None, now: int) -> tuple[Runs | None, list[Match]]:
        matches: list[Match] = []
        while runs is not None and self._deadlines.some:
            end = self._deadlines.first(runs)
            if end is None or end > now:
                break
            ends = [self._deadlines.end(run, runs) for run in runs.runs]
            over = [run for run, its in zip(runs.runs, ends, strict=True) if its is not None and its <= end]
            kept = [run for run, its in zip(runs.runs, ends, strict=True) if its is None or its > end]
            finished = [run.taken for run in over if self._pending[run.state]]
            runs, done = self._settle(runs, kept, finished, end, None)
            matches += done
        return runs, matches

    def next_deadline(self, runs: Runs | None) -> int | None:
        if runs is None or not self._deadlines.some:
            return None
        if runs.waiting:
            return self._deadlines.first(runs)
        return self._earliest(runs, pending=True) if self.has_final_absence else None

    def expiry(self, runs: Runs | None) -> int | None:
        return None if runs is None or not self._deadlines.some else self._earliest(runs, pending=False)

    def _earliest(self, runs: Runs, *, pending: bool) -> int | None:
        ends = (self._deadlines.end(run, runs) for run in runs.runs if self._pending[run.state] is pending)
        return min((end for end in ends if end is not None), default=None)

    def on_late(self, runs: Runs | None, event: Event, scope: Scope) -> tuple[Runs | None, bool]:
        if runs is None:
            return None, False
        refuted = [self._refutes(event, run, runs, scope) for run in runs.runs]
        if not any(refuted):
            return runs, False
        kept = [run for run, gone in zip(runs.runs, refuted, strict=True) if not gone]
        if runs.waiting:
            # A match that waited for a refuted run is released in order, by the next event or deadline: until then the
            # run stays, in a state that nothing leads out of.
            kept = [Run(self._stop, run.taken) if gone else run for run, gone in zip(runs.runs, refuted, strict=True)]
        return self._pack(runs, kept, runs.waiting, None), True

    def cancels(self, steps: Mapping[str, Sequence[Event]], event: Event, scope: Scope) -> bool:
        if not self.has_final_absence or event.type not in self._last.types:
            return False
        asked = self._asked[2 * (self._steps - 1)]
        return asked is None or asked.holds(scope.with_steps(steps))

    def lighten(self, runs: Runs, before: int, most: int) -> Runs | None:
        sizes = {number: size_of(kept) for number, kept in runs.events.items()}
        heavy = sum(sizes.values()) > most

        def stays(marks: Marks) -> bool:
            if runs.events[marks[0] // self._steps].time < before:
                return False
            return not heavy or sum(sizes[number] for number in numbers([marks], self._steps)) <= most

        kept = [run for run in runs.runs if stays(run.taken)]
        waiting = [marks for marks in runs.waiting if stays(marks)]
        gone = len(runs.runs) - len(kept) + len(runs.waiting) - len(waiting)
        if not gone:
            return runs
        return self._pack(msgspec.structs.replace(runs, dropped=runs.dropped + gone), kept, waiting, None)

    def progress(self, runs: Runs | None) -> list[Progress]:
        return [] if runs is None else [self._tell(run, runs) for run in runs.runs if run.state != self._stop]

    # One event

    def _tree(self, event_type: str, state: int) -> Node:
        tree = build_tree(self._graph, self._graph.states[state], self._conditions.known(event_type))
        self._trees[event_type][state] = tree
        return tree

    def _starting(self, event: Event, runs: Runs | None, scope: Scope, answers: dict[int, bool]) -> Outcome:
        node = self._trees[event.type][self._start] or self._tree(event.type, self._start)
        return node if isinstance(node, Outcome) else self._decide(node, NO_RUN, runs, scope, answers)

    def _decide(self, node: Node, run: Run, runs: Runs | None, scope: Scope, answers: dict[int, bool]) -> Outcome:
        """Asks what the tree asks; conditions that read no run are asked once an event (`answers`)."""
        of_run = None
        while isinstance(node, Question):
            number = node.number
            asked = self._asked[number]
            assert asked is not None
            if asked.of_run:
                if of_run is None:
                    of_run = scope
                    if runs is not None and run.taken:
                        of_run = scope.with_steps(view_of(run.taken, runs.events, self._names))
                answer = asked.holds(of_run)
            elif number in answers:
                answer = answers[number]
            else:
                answer = answers[number] = asked.holds(scope)
            node = node.branch(answer)
        return node

    def _advance(self, taken: Marks, outcome: Outcome, number: int, kept: list[Run], finished: list[Marks]) -> None:
        for move in outcome.moves:
            marks = taken if move.step is None else with_mark(taken, number * self._steps + move.step, self._steps)
            if move.target is None:
                finished.append(marks)
                continue
            if not outcome.stopped:
                kept.append(Run(move.target, marks))
            if move.ends:
                finished.append(marks)

    # After an event or a deadline

    def _grown(self, old: Runs | None, kept: list[Run], number: int, event: Event) -> Runs:
        """The state after an event that ended no run: nothing to forget."""
        taken = any(last_mark(run.taken, self._steps) // self._steps == number for run in reversed(kept))
        if old is None:
            return Runs(number + 1, kept, [], {number: keep(event, self._keeps[event.type])})
        if not taken:
            return Runs(old.following, kept, [], old.events, old.dropped)
        return Runs(number + 1, kept, [], {**old.events, number: keep(event, self._keeps[event.type])}, old.dropped)

    def _settle(
        self, old: Runs | None, kept: list[Run], finished: list[Marks], at: int, new: tuple[int, Event] | None
    ) -> tuple[Runs | None, list[Match]]:
        """The state afterwards, and what goes out; `new` is the event just seen, with its number."""
        waiting = [] if old is None else old.waiting
        taken = None if new is None else (new[0], keep(new[1], self._keeps[new[1].type]))
        matches: list[Match] = []
        if finished or waiting:
            standing = Standing(kept, waiting, [])
            self._strategy.settle(standing, finished)
            kept, waiting = standing.runs, standing.waiting
            events = {} if old is None else old.events
            if taken is not None and standing.released:
                events = {**events, taken[0]: taken[1]}
            matches = [self._match(marks, events, at) for marks in standing.released]
        return self._pack(old, kept, waiting, taken), matches

    def _pack(
        self, old: Runs | None, kept: list[Run], waiting: list[Marks], new: tuple[int, Kept] | None
    ) -> Runs | None:
        """What is left as state: at most `max_runs` runs, the newest are not kept, and the events that they need."""
        if not kept and not waiting:
            return None
        limit = self._max_runs
        dropped = max(0, len(kept) - limit) + max(0, len(waiting) - limit) + (0 if old is None else old.dropped)
        kept, waiting = kept[:limit], waiting[:limit]
        needed = numbers([*(run.taken for run in kept), *waiting], self._steps)
        events = {} if old is None else {n: event for n, event in old.events.items() if n in needed}
        following = 0 if old is None else old.following
        if new is not None and new[0] in needed:
            events[new[0]] = new[1]
            following = new[0] + 1
        return Runs(following, kept, waiting, events, dropped)

    def _match(self, marks: Marks, events: Mapping[int, Kept], at: int) -> Match:
        return Match(steps_of(marks, events, self._names), at, events[marks[0] // self._steps].time)

    # Late events, and telling

    def _refutes(self, event: Event, run: Run, runs: Runs, scope: Scope) -> bool:
        """Whether the event, had it come in time, would have stopped this run where it stands now."""
        if event.order <= self._since(run, runs).order:
            return False
        node = self._trees[event.type][run.state] or self._tree(event.type, run.state)
        return self._decide(node, run, runs, scope, {}).stopped

    def _since(self, run: Run, runs: Runs) -> Event:
        """An absence holds from the first event of the step taken last."""
        step = last_mark(run.taken, self._steps) % self._steps
        mark = next(mark for mark, _ in spans(run.taken) if mark % self._steps == step)
        return runs.events[mark // self._steps].event

    def _tell(self, run: Run, runs: Runs) -> Progress:
        steps = {
            name: tuple(e.id for e in events) for name, events in steps_of(run.taken, runs.events, self._names).items()
        }
        waits_for = self._names[self._graph.states[run.state].step]
        return Progress(steps, waits_for, self._deadlines.end(run, runs))


def _leads_anywhere(node: Node) -> bool:
    return not isinstance(node, Outcome) or bool(node.moves)
