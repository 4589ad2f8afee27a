"""A stream written as text, for tests of one partition: `a@3 b@5:2` is type a at 3 ms, then b at 5 ms with x = 2."""

from __future__ import annotations

from typing import Any

from kairos.engine.event import Event
from kairos.engine.expression.scope import Facts
from kairos.engine.pattern import AfterMatch, Match, Matcher, Pattern, Runs, Step, Times
from tests.conformance.harness import matcher_of

Told = tuple[list[str], int]
"""Ids of a match, and when it was decided."""

A = Step("event", ("a",), "a")
B = Step("event", ("b",), "b")
C = Step("event", ("c",), "c")
NO_B = Step("absent", ("b",), "no_b")


def start(*steps: Step, within: int | None = 10, max_runs: int = 100, **settings: Any) -> Partition:
    if "after_match" in settings:
        settings["after_match"] = AfterMatch(*settings["after_match"].split())
    return Partition(matcher_of(Pattern(steps, within, **settings), max_runs))


def many(least: int, most: int | None = None, **settings: Any) -> Step:
    return Step("event", ("a",), "a", times=Times(least, most), **settings)


def event(text: str) -> Event:
    """The id is the text before the colon; events of one time come in the order of their ids."""
    identity, _, x = text.partition(":")
    name, _, time = identity.partition("@")
    return Event(identity, name.rstrip("0123456789"), int(time), "", {"x": int(x or 0), "name": name}, "u1")


class Partition:
    """The state of one partition under a matcher."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.runs: Runs | None = None

    def see(self, text: str) -> list[Told]:
        """Feeds the events; the matches that come out."""
        found: list[Match] = []
        for word in text.split():
            scope, happening = self.scope(word)
            self.runs, matches = self.matcher.on_event(self.runs, happening, scope)
            found += matches
        return [tell(match) for match in found]

    def wait(self, now: int) -> list[Told]:
        """Lets time pass."""
        self.runs, matches = self.matcher.on_time(self.runs, now)
        return [tell(match) for match in matches]

    def late(self, text: str) -> bool:
        scope, happening = self.scope(text)
        self.runs, cancelled = self.matcher.on_late(self.runs, happening, scope)
        return cancelled

    def scope(self, text: str) -> tuple[Facts, Event]:
        scope, happening = Facts(), event(text)
        scope.event, scope.props, scope.now = happening, happening.props, happening.time
        return scope, happening


def tell(match: Match) -> Told:
    return [event.id for events in match.steps.values() for event in events], match.at
