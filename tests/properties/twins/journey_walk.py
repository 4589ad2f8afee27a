"""A slow, obvious twin of journeys: a generator for each run, that walks the steps and waits where they say."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kairos.engine.decision import share_of
from kairos.engine.event import Event
from tests.engine_kit import BASE, HOUR
from tests.properties.twins.journey_author import Step

Walk = Generator[tuple[str, int], bool, str]


Told = tuple[int, str, str, str]
"""Hour, part (`entry`, a message's id, `left`), outcome, reason."""


START = datetime.fromtimestamp(BASE / 1000, UTC)


@dataclass
class Way:
    """One run, as the twin has it. `waits`: for what ("v": an event, "message": the end of the round), until when."""

    entered: int
    n: int
    k: str
    walk: Walk = field(init=False)
    progress: dict[str, str] = field(default_factory=dict)
    waits: tuple[str, int] = ("message", 0)
    started: bool = False
    ended: int | None = None
    goal_met: bool = False


class Twin:
    def __init__(self, journey: Step, has_phone: bool) -> None:
        self.journey, self.has_phone = journey, has_phone
        self.told: list[Told] = []
        self.ways: list[Way] = []
        self.hour = 0

    def live(self, events: list[Event]) -> list[Told]:
        by_hour: dict[int, list[Event]] = {}
        for event in events:
            by_hour.setdefault((event.time - BASE) // HOUR, []).append(event)
        for self.hour in range(800):
            self.one_hour(by_hour.get(self.hour, []))
        return sorted(self.told)

    def one_hour(self, events: list[Event]) -> None:
        resumed: list[tuple[Way, bool]] = []
        for event in events:
            for way in self.ways:
                if not self.hears(way, event) and self.waits_for(way, event) and way not in [w for w, _ in resumed]:
                    resumed.append((way, True))
        came = [way for way, _ in resumed]
        resumed += [(w, False) for w in self.ways if w.ended is None and w.waits[1] == self.hour and w not in came]
        for way, answer in resumed:
            if way.ended is None:
                self.resume(way, answer)
        for event in events:
            if event.type == "in":
                self.enter(event)
        while at_message := [way for way in self.ways if way.ended is None and way.waits[0] == "message"]:
            for way in at_message:
                self.resume(way, False)

    def enter(self, event: Event) -> None:
        again, mine = self.journey["reenter"], self.ways
        if again == "each":
            mine = [way for way in self.ways if way.k == event.props["k"]]
        if any(way.ended is None for way in mine):
            return
        ends = [way.ended for way in mine if way.ended is not None]
        if again == "never" and mine:
            return
        if isinstance(again, dict) and ends and self.hour - max(ends) < int(again["after"][:-1]):
            return
        self.tell("entry", "match")
        way = Way(self.hour, event.props["n"], event.props["k"])
        way.walk = self.walk(way, self.journey["steps"])
        self.ways.append(way)

    def hears(self, way: Way, event: Event) -> bool:
        """Goals, then exits. True: there is nothing more that the event can be to this run."""
        goal = self.journey.get("goal")
        if self.journey["reenter"] == "each" and way.k != event.props["k"]:
            return True
        newest = max(w.entered for w in self.ways if self.journey["reenter"] != "each" or w.k == way.k)
        counts = not way.goal_met and way.entered == newest and self.hour < way.entered + 60
        if goal and event.type == goal["event"] and counts:
            way.goal_met = True
            self.tell("entry", "goal")
            if way.ended is None:
                self.end(way, "goal")
            return True
        if way.ended is not None:
            return True
        if "exit" in self.journey and event.type == "x" and event.props["n"] > 3:
            self.end(way, "exit")
            return True
        return False

    def waits_for(self, way: Way, event: Event) -> bool:
        what, until = way.waits
        return what == "v" and event.type == "v" and event.props["n"] > way.n and self.hour < until

    def resume(self, way: Way, answer: bool) -> None:
        try:
            way.waits = way.walk.send(answer) if way.started else next(way.walk)
            way.started = True
        except StopIteration as end:
            self.end(way, end.value)

    def end(self, way: Way, reason: str) -> None:
        way.ended = self.hour
        self.tell("left", "match", reason)

    def tell(self, part: str, outcome: str, reason: str = "") -> None:
        self.told.append((self.hour, part, outcome, reason))

    def walk(self, way: Way, steps: list[Step]) -> Walk:
        for one in steps:
            if (reason := (yield from self.step(way, one))) != "done":
                return reason
        return "done"

    def step(self, way: Way, one: Step) -> Walk:
        if "when" in one and not self.holds(way, one["when"]):
            if "send" in one:
                way.progress[one["id"]] = "skipped"
        elif "send" in one:
            yield ("message", 0)
            return self.message(way, one)
        elif "exit" in one:
            return str(one["exit"])
        elif "wait" in one:
            yield ("", self.end_of(one["wait"]))
        elif "wait_for" in one:
            came = yield ("v", self.hour + int(one["wait_for"]["within"][:-1]))
            if not came:
                return (yield from self.walk(way, one.get("otherwise", [])))
        elif "choose" in one:
            for branch in one["choose"]:
                if "when" not in branch or self.holds(way, branch["when"]):
                    return (yield from self.walk(way, branch["steps"]))
        else:
            arms = one["split"]
            point = share_of("u1", f"j/{one['id']}") * 3
            return (yield from self.walk(way, arms[0 if point < 1 else 1]["steps"]))
        return "done"

    def message(self, way: Way, one: Step) -> str:
        reaches = one["send"][0]["channel"] == "webhook" or self.has_phone
        way.progress[one["id"]] = "sent" if reaches else "skipped"
        self.tell(one["id"], "send" if reaches else "suppress", "" if reaches else "unreachable")
        return "exit" if not reaches and self.journey["on_suppress"] == "leave" else "done"

    def end_of(self, wait: Any) -> int:
        if isinstance(wait, str):
            return self.hour + int(wait[:-1])
        day = (START + timedelta(hours=self.hour)).replace(hour=0) + timedelta(days=wait["days"])
        return (day + timedelta(hours=int(wait["at"][:2])) - START) // timedelta(hours=1)

    def holds(self, way: Way, condition: str) -> bool:
        if condition.startswith("in_."):
            limit = int(condition[-1])
            return way.n > limit if ">" in condition else way.n < limit
        word, _, rest = condition.removeprefix("not ").partition("(")
        became = way.progress.get(rest[:-1])
        found = became == ("skipped" if word == "skipped" else "sent")
        return not found if condition.startswith("not ") else found
