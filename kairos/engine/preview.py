"""What an activity would say to one user, on every way that it knows: taken down while the engine runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kairos.engine.address import address_of
from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.explain import tell_record
from kairos.engine.explain_gates import out_of_reach, reason_of_gate
from kairos.engine.expression.scope import Scope
from kairos.engine.gate.content import template_values
from kairos.engine.gate.question import Verdict
from kairos.engine.moment import Moment
from kairos.engine.pattern import Match, Runs
from kairos.engine.rehearse import alone, simulation_of
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend, CompiledVariant
from kairos.engine.rule.examples import Example, TestFile
from kairos.engine.rule.model import RuleSet, Send
from kairos.engine.simulate import Simulation
from kairos.engine.user_state import Case
from kairos.engine.variant import choose_variant


@dataclass(frozen=True)
class Entry:
    """One entry of `send`, the first or one that falls back. `own`: of this user's variant.

    `missing`: values without which it would have a hole. `address` None: it needs none, or there are no profiles.
    `unreachable` says why this user gets nothing on it, else empty.
    """

    variant: str | None
    own: bool
    first: bool
    send: Send
    values: dict[str, Any]
    missing: tuple[str, ...]
    address: str | None
    unreachable: str


@dataclass
class Asked:
    """The gates' answer at event time `at`; `zone` is the user's.

    `stopped`: by which gate, and why; empty: all of them passed. `until`: a hold ends then.
    """

    at: int
    zone: ZoneInfo
    occurrence: str
    entries: tuple[Entry, ...]
    stopped: str = ""
    until: int | None = None
    sends: bool = False

    def conclude(self, records: Sequence[Record]) -> None:
        """What the gates do not know: a budget that is used up, a message that would come too late."""
        for record in records:
            if (record.at, record.occurrence) != (self.at, self.occurrence):
                continue
            self.sends = self.sends or record.outcome == "send"
            if record.outcome == "suppress" and (not self.stopped or record.reason == "expired"):
                self.stopped, self.until = f"{self.stopped or 'passes every gate'} {tell_record(record)}", None


class Preview:
    """An engine `Observer` of one user and one activity; the engine's `moment` says whose turn it is."""

    def __init__(self, activity: str, user_id: str, moment: Moment) -> None:
        self._activity = activity
        self._user_id = user_id
        self._moment = moment
        self._asked: dict[tuple[str, int], Asked] = {}

    def event(
        self, activity: CompiledActivity, part: str, event: Event, before: Runs | None, after: Runs | None,
        matches: list[Match], scope: Scope,
    ) -> None:  # fmt: skip
        """Only what the gates are asked about counts here."""

    def gate(
        self, activity: CompiledActivity, case: Case, now: int, gate: str, verdict: Verdict | None, scope: Scope
    ) -> None:
        if self._moment.user_id != self._user_id or activity.name != self._activity or case.attempt:
            return
        key = (case.occurrence, now)
        if key not in self._asked:
            self._asked[key] = Asked(now, scope.zone, case.occurrence, tuple(self._entries(activity, scope)))
        if verdict is not None:
            self._asked[key].stopped = reason_of_gate(gate, activity, verdict, self._moment)
            self._asked[key].until = verdict.until if verdict.outcome == "hold" else None

    def _entries(self, activity: CompiledActivity, scope: Scope) -> Iterator[Entry]:
        own = choose_variant(activity, self._user_id)
        for variant in activity.variants:
            for send in variant.sends:
                yield self._entry(variant, variant is own, send, scope)

    def _entry(self, variant: CompiledVariant, own: bool, send: CompiledSend, scope: Scope) -> Entry:
        values = {name: value(scope) for name, value in send.data.items()} | template_values(send, scope)
        missing = tuple(name for name in send.required if values[name] is None)
        profile, checked = self._moment.profile, self._moment.profiles is not None
        unreachable = out_of_reach(profile or {}, send.channel) if checked else ""
        address = address_of(profile, send.channel)
        return Entry(variant.name, own, send is variant.sends[0], send.spec, values, missing, address, unreachable)

    def run(self, simulation: Simulation, events: Sequence[Event]) -> Asked | None:
        """The last time that it would send, else the last time that the gates were asked; None: they never were."""
        simulation.engine.moment.observer = self
        mine = [r for r in simulation.run(events) if r.user_id == self._user_id and r.activity == self._activity]
        asked = list(self._asked.values())
        for each in asked:
            each.conclude(mine)
        return max(asked, key=lambda each: (each.sends, each.at), default=None)


def preview(simulation: Simulation, activity: str, user_id: str, events: Sequence[Event]) -> Asked | None:
    return Preview(activity, user_id, simulation.engine.moment).run(simulation, events)


def preview_example(
    rules: RuleSet, file: TestFile, user_id: str, profiles: dict[str, dict[str, Any]] | None
) -> tuple[Example, Asked] | None:
    """The activity's first example that sends to this user, else to somebody in whose place the user then is.

    None: no example gets as far as the gates. `profiles`: in place of those of the example.
    """
    rules, best = alone(rules, file), None
    for example in _in_place_of(rules, file, user_id):
        played = msgspec.structs.replace(example, profiles=profiles) if profiles is not None else example
        asked = preview(simulation_of(rules, file, played), file.activity, user_id, played.events)
        if asked is not None and (best is None or (asked.sends and not best[1].sends)):
            best = example, asked
        if asked is not None and asked.sends:
            break
    return best


def _in_place_of(rules: RuleSet, file: TestFile, user_id: str) -> Iterator[Example]:
    """The examples about this user as they are, then the others with this user in the place of theirs.

    Of each kind those that send go first.
    """
    heroes = [(example, *_hero(rules, file, example)) for example in file.tests]
    heroes.sort(key=lambda entry: not entry[2])
    yield from (example for example, hero, _ in heroes if hero == user_id)
    yield from (_recast(example, hero, user_id) for example, hero, _ in heroes if hero not in ("", user_id))


def _hero(rules: RuleSet, file: TestFile, example: Example) -> tuple[str, bool]:
    """Whom an example is about, and whether it sends: the first user sent to, else the first one decided about."""
    records = list(simulation_of(rules, file, example).run(example.events))
    sent = [record.user_id for record in records if record.outcome == "send"]
    return next(iter([*sent, *(record.user_id for record in records)]), ""), bool(sent)


def _recast(example: Example, hero: str, user_id: str) -> Example:
    """`user_id` does what the hero did, and has what the hero had where nothing else is known."""
    events = tuple(
        msgspec.structs.replace(event, user_id=user_id) if event.user_id == hero else event
        for event in example.events
        if event.user_id != user_id
    )
    known = [
        {**table, user_id: table.get(user_id, table[hero])} if hero in table else table
        for table in (example.profiles, example.metrics)
    ]
    return msgspec.structs.replace(example, events=events, profiles=known[0], metrics=known[1])
