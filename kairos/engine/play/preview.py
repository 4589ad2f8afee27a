"""What an activity would say to one user, on every way that it knows: taken down while the engine runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from kairos.engine.catalog.items import Shelf
from kairos.engine.decision import Choice, Record
from kairos.engine.event import Event
from kairos.engine.gate.content import values_of
from kairos.engine.gate.question import Verdict
from kairos.engine.pattern import Match, Runs
from kairos.engine.play.explain import tell_record
from kairos.engine.play.explain_gates import out_of_reach, reason_of_gate
from kairos.engine.play.rehearse import alone, simulation_of
from kairos.engine.play.simulate import Simulation
from kairos.engine.profile.address import address_of
from kairos.engine.rule.compiled import CompiledActivity, CompiledSend
from kairos.engine.rule.content.rendering import Content, ContentError
from kairos.engine.rule.examples import Example, TestFile
from kairos.engine.rule.model import RuleSet, Send
from kairos.engine.user.case import Case
from kairos.engine.user.moment import Instant, Moment, Observer


@dataclass(frozen=True)
class Entry:
    """One entry of `send`. `own`: of this user's variant; `first`: of all, or of those that reach this user, so that
    it waits for nothing.

    `content`: the message, or why there is none; `values`: what it is filled in with. `address` None: it needs none, or
    there are no profiles. `unreachable` says why this user gets nothing on it, else empty.
    """

    variant: str | None
    own: bool
    first: bool
    send: Send
    content: Content | str
    address: str | None
    unreachable: str
    values: Mapping[str, Any]


@dataclass
class Asked:
    """The gates' answer at event time `at`; `zone` is the user's, by name.

    `stopped`: by which gate, and why; empty: all of them passed. `until`: a hold ends then.
    """

    at: int
    zone: str
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
    """An engine `Observer` of one user and one activity: takes down what the gates are asked about."""

    def __init__(self, activity: str, user_id: str) -> None:
        self._activity = activity
        self._user_id = user_id
        self._asked: dict[tuple[str, int], Asked] = {}

    def event(
        self, activity: CompiledActivity, moment: Moment, before: Runs | None, after: Runs | None, matches: list[Match]
    ) -> None:
        """Only what the gates are asked about counts here."""

    def gate(self, activity: CompiledActivity, moment: Moment, case: Case, gate: str, verdict: Verdict | None) -> None:
        if moment.instant.user_id != self._user_id or activity.name != self._activity or case.attempt:
            return
        key = (case.occurrence, moment.now)
        if key not in self._asked:
            self._asked[key] = Asked(moment.now, moment.zone.key, case.occurrence, tuple(_entries(activity, moment)))
        if verdict is not None:
            self._asked[key].stopped = reason_of_gate(gate, activity, verdict, moment)
            self._asked[key].until = verdict.until if verdict.outcome == "hold" else None

    def dropped(
        self, activity: CompiledActivity, instant: Instant, part: str, before: Runs, after: Runs | None
    ) -> None:
        """Only what the gates are asked about counts here."""

    def journey(self, entry: CompiledActivity, instant: Instant, text: str, until: int | None) -> None:
        """Where somebody is does not matter, only what is said."""

    def compared(self, activity: CompiledActivity, instant: Instant, case: Case, choice: Choice, ghost: bool) -> None:
        """The record says what has come of it."""

    def fallback(self, activity: CompiledActivity, instant: Instant, case: Case, send: CompiledSend) -> None:
        """Nobody is asked."""

    def best(self, records: Iterable[Record]) -> Asked | None:
        """The last time that it would send, else the last time that the gates were asked; None: they never were.

        `records`: what the run that was watched has decided.
        """
        mine = [r for r in records if r.user_id == self._user_id and r.activity == self._activity]
        asked = list(self._asked.values())
        for each in asked:
            each.conclude(mine)
        return max(asked, key=lambda each: (each.sends, each.at), default=None)


def _entries(activity: CompiledActivity, moment: Moment) -> Iterator[Entry]:
    instant = moment.instant
    own = activity.variant_of(instant.user_id)
    for variant in activity.variants:
        reaching = [send for send in variant.sends if not _unreachable(activity, moment, send)]
        at_once = (variant.sends[0], *reaching[:1])
        for send in variant.sends:
            content, values = _content(send, moment)
            address = address_of(instant.profile, send.channel)
            unreachable = _unreachable(activity, moment, send)
            yield Entry(variant.name, variant is own, send in at_once, send.spec, content, address, unreachable, values)


def _unreachable(activity: CompiledActivity, moment: Moment, send: CompiledSend) -> str:
    known = moment.instant.surroundings.profiles is not None
    return out_of_reach(moment, activity, send.channel) if known else ""


def _content(send: CompiledSend, moment: Moment) -> tuple[Content | str, Mapping[str, Any]]:
    values, renderer = values_of(send, moment), moment.instant.program.content
    try:
        content: Content | str = renderer.render(send.spec.template, send.channel, values, moment.zone)
    except ContentError as error:
        content = str(error)
    return content, {name: value.taken if isinstance(value, Shelf) else value for name, value in values.items()}


def preview(
    watched: Callable[[Observer], Simulation], activity: str, user_id: str, events: Sequence[Event]
) -> Asked | None:
    """`watched`: a simulation that this observer watches."""
    watcher = Preview(activity, user_id)
    return watcher.best(watched(watcher).run(events))


def preview_example(
    rules: RuleSet, file: TestFile, activity: str, user_id: str, profiles: dict[str, dict[str, Any]] | None
) -> tuple[Example, Asked] | None:
    """The first example in which the activity, or a journey's message, sends to this user; else to somebody in whose
    place the user then is.

    None: no example gets as far as the gates. `profiles`: in place of those of the example. Examples are told as if the
    activity were live, the user as it is.
    """
    live, best = alone(rules, file), None
    as_it_is = msgspec.structs.replace(live, activities={name: rules.activities[name] for name in live.activities})
    for example in _in_place_of(live, file, user_id):
        played = msgspec.structs.replace(example, profiles=profiles) if profiles is not None else example
        watched = partial(simulation_of, as_it_is, file, played)
        asked = preview(watched, activity, user_id, played.events)
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
    records = list(simulation_of(rules, file, example).run(example.events, first=file.start))
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
