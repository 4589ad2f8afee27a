"""A journey that is edited while people are inside: what the contract says of each of them, line by line."""

from __future__ import annotations

import msgspec
import pytest

from kairos.engine.engine import Engine
from kairos.engine.event import KAIROS, LOOK, Event
from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.release import Release
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.moment import Settings
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, DAY, HOUR, event, ms, program_of, rules
from tests.unit.engine.live_user import told
from tests.unit.journey.test_journeys import journey

EDITED = BASE + DAY
"""When the second release takes effect; the user came in a day before."""


class Edited:
    """One user who came in under `before`; `after` holds from EDITED on."""

    def __init__(self, before: str, after: str) -> None:
        old, new = (rules(text, policy="timezone: UTC\n") for text in (before, after))
        self.engine = Engine(Settings(assume_delivered=True, lateness=0, patience=0))
        first = Release(1, old)
        self.engine.adopt(compile_release(first, max_runs=1_000))
        self.state = UserState()
        self.before = told(self.engine.on_event("u1", self.state, event("0s in"), BASE + DAY // 2))
        self.engine.adopt(compile_release(succeed(first, new, EDITED), self.engine.program, max_runs=1_000))

    def then(self, *given: str) -> list[str]:
        """Events, and at last the end of time."""
        effects = []
        for place, text in enumerate(given, 2):
            effects += self.engine.on_event("u1", self.state, event(text, place), BASE + ms(text.split(" ")[0]))
        effects += self.engine.on_time("u1", self.state, BASE + 400 * DAY)
        return sorted(line.replace(" webhook", "").replace(" j.", " ") for line in told(effects))


EDITS = [
    # (what, before, after, events afterwards, decisions afterwards)
    ("a longer wait waits longer", "{id: w, wait: 2d}\nhello", "{id: w, wait: 5d}\nhello", ["1d12h look"],
     ["5d hello send", "5d left match"]),
    ("and without an event too", "{id: w, wait: 2d}\nhello", "{id: w, wait: 5d}\nhello", [],
     ["5d hello send", "5d left match"]),
    ("a shorter one acts at the next event", "{id: w, wait: 9d}\nhello", "{id: w, wait: 12h}\nhello", ["3d in"],
     ["3d hello send", "3d left match"]),
    ("or at the old deadline", "{id: w, wait: 9d}\nhello", "{id: w, wait: 12h}\nhello", [],
     ["9d hello send", "9d left match"]),
    ("shorter, and not over yet: from when they came", "{id: w, wait: 9d}\nhello", "{id: w, wait: 4d}\nhello",
     ["3d in"], ["4d hello send", "4d left match"]),
    ("a step that is gone under someone", "{id: w, wait: 2d}\nhello", "hello", ["1d12h in"], ["1d12h left match"]),
    ("steps put in behind a person are not done", "{id: w, wait: 2d}\nhello", "tips\n{id: w, wait: 2d}\nhello", [],
     ["2d hello send", "2d left match"]),
    ("steps put in before a person are done", "{id: w, wait: 2d}\nhello", "{id: w, wait: 2d}\ntips\nhello", [],
     ["2d hello send", "2d left match", "2d tips send"]),
    ("the position is the step's id, wherever it is now", "{id: w, wait: 2d}\nhello\ntips",
     "hello\n{id: w, wait: 2d}\ntips", [], ["2d left match", "2d tips send"]),
    ("a step without id by its place between named ones", "tips\n{wait: 2d}\nhello", "tips\n{wait: 5d}\nhello", [],
     ["5d hello send", "5d left match"]),
    ("a text that changed goes out as it is now", "{id: w, wait: 2d}\nhello",
     "{id: w, wait: 2d}\n{id: hello, data: {a: 1}, send: [{channel: webhook}]}", [],
     ["2d hello send", "2d left match"]),
    ("a wait that became a message is done", "{id: x, wait: 9d}\nhello",
     "{id: x, send: [{channel: webhook}]}\nhello", ["3d in"], ["3d hello send", "3d left match", "3d x send"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "before", "after", "given", "expected"), EDITS, ids=[row[0] for row in EDITS])
def test_what_becomes_of_whoever_is_inside(
    what: str, before: str, after: str, given: list[str], expected: list[str]
) -> None:
    assert Edited(journey(before), journey(after)).then(*given) == expected


def look(at: str) -> Event:
    return Event(f"look/{at}", LOOK, BASE + ms(at), KAIROS, {}, "u1")


SHORTENED = [("12h", "1d6h", "1d6h"), ("3d", "1d6h", "3d"), ("20d", "1d6h", "20d")]


@pytest.mark.parametrize(("wait", "at", "ends"), SHORTENED)
def test_whoever_is_looked_at_meets_the_edit_without_an_event(wait: str, at: str, ends: str) -> None:
    """What is past goes on at once, the rest at its own time, as the job asks for it."""
    edited = Edited(journey("{id: w, wait: 9d}\nhello"), journey(f"{{id: w, wait: {wait}}}\nhello"))
    effects = edited.engine.on_event("u1", edited.state, look(at), BASE + ms(at) - HOUR)
    assert edited.engine.next_timer("u1", edited.state) == BASE + ms(at)
    effects += edited.engine.on_time("u1", edited.state, BASE + ms(at))
    while (due := edited.engine.next_timer("u1", edited.state)) is not None and edited.state.journeys:
        effects += edited.engine.on_time("u1", edited.state, due)
    assert [line.replace(" webhook", "").replace(" j.", " ") for line in told(effects)] == [
        f"{ends} hello send", f"{ends} left match",
    ]  # fmt: skip


def test_nobody_is_kept_because_he_was_looked_at() -> None:
    edited, stranger = Edited(journey("hello"), journey("hello\ntips")), UserState()
    assert edited.engine.on_event("u2", stranger, look("2d"), BASE + 2 * DAY) == []
    assert stranger == UserState()


ON_CHANGE = [
    ("keep", ["2d left match", "2d tips send"]),
    ("restart", ["1d12h left match"]),
    ("drain", ["2d hello send", "2d left match"]),
]


@pytest.mark.parametrize(("on_change", "expected"), ON_CHANGE)
def test_on_change(on_change: str, expected: list[str]) -> None:
    before, after = "{id: w, wait: 2d}\nhello", "{id: w, wait: 2d}\ntips"
    edited = Edited(journey(before), journey(after, f"on_change: {on_change}\n"))
    assert edited.then("1d12h in") == expected


def test_a_journey_that_is_removed_drops_whoever_is_inside() -> None:
    other = journey("hello").replace("journey: j", "journey: k").replace("event: in", "event: other")
    edited = Edited(journey("{id: w, wait: 2d}\nhello"), other)
    assert edited.then("1d12h other") == ["1d12h k match", "1d12h k.hello send", "1d12h k.left match"]
    assert not edited.state.journeys


def test_ten_thousand_people_inside_take_the_edit_as_one_does() -> None:
    before = journey("hello\n{id: w, wait: 5d}\ntips\n{id: x, wait: 5d}\nlast")
    after = journey("hello\n{id: w, wait: 7d}\nlast")
    old, new = rules(before), rules(after)
    engine = Engine(Settings(assume_delivered=True, lateness=0, patience=0))
    engine.adopt(program_of(old))
    states = {f"u{n}": UserState() for n in range(10_000)}
    for n, (user, state) in enumerate(states.items()):
        engine.on_event(user, state, event(f"{n % 10}d in user={user}"), BASE + (n % 10) * DAY)
        engine.on_time(user, state, BASE + 9 * DAY)
    engine.adopt(program_of(new, 2, BASE + 9 * DAY + 1, engine.program))
    ends: dict[str, int] = {}
    for user, state in states.items():
        for effect in engine.on_time(user, state, BASE + 99 * DAY):
            record = getattr(effect, "record", effect)
            if record.activity == "j.left":
                ends[record.data["reason"]] = ends.get(record.data["reason"], 0) + 1
    # who came on day 0 to 4 stands at `x`, which is gone; the others at `w`, and wait longer
    assert ends == {"changed": 5_000, "done": 5_000}


def test_state_of_a_waiting_journey_is_small() -> None:
    text = journey(
        "hello\n{id: seen, wait_for: {event: view, within: 3d}}\n{wait: 30d}", "goal: {event: buy, within: 60d}\n"
    )
    engine = Engine(Settings(assume_delivered=True, lateness=0, patience=0))
    engine.adopt(program_of(rules(text)))
    state = UserState()
    engine.on_event("u1", state, event("0s in"), BASE)
    engine.on_event("u1", state, event("1d view id=8f14e45f-ceea-467f-a9d5-1b2c3d4e5f60"), BASE + DAY)
    assert state.journeys["j"][""].at == "seen+1"
    codec = StateCodec()
    waiting = len(codec.encode(state))
    without = len(codec.encode(msgspec.structs.replace(state, journeys={})))
    assert waiting - without < 150
