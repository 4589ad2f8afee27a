"""The switch: turned in SQL, heeded by the engine, the job and the workers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog
from kairos.adapters.rules.store import RuleStoreError, open_rule_store
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.changes.switch import KEPT, Switches, Turn
from kairos.engine.rule.load import load
from kairos.engine.rule.release import Release
from kairos.usecases.control.rights import Actor, NotAllowedError
from kairos.usecases.control.switch import Which, turn
from kairos.usecases.errors import AskError, NotThereError
from operators.rules import Shipped, known_switches
from operators.switch import FoundSwitches, SwitchWatch, keep_switches
from operators.telemetry import Telemetry
from tests.engine_kit import BASE, HOUR, MINUTE, event, rules, tell

NUDGE = """activity: nudge
state: live
trigger: {event: visit}
limits: {quiet_hours: ignore}
send: [{channel: sms, template: t}]
"""
JOURNEY = """journey: tour
state: live
trigger: {event: signup}
limits: {quiet_hours: ignore}
steps:
  - {id: hello, send: [{channel: sms, template: t}]}
  - {wait: 1h}
  - {id: later, send: [{channel: sms, template: t}]}
"""


def played(switches: Switches, *texts: str, text: str = NUDGE) -> list[str]:
    simulation = Simulation(rules(text))
    simulation.engine.heed(switches)
    return [tell(record) for record in simulation.run([event(each, n) for n, each in enumerate(texts)])]


def turned(**turns: list[tuple[int, str]]) -> Switches:
    found = [(at, name, state) for name, each in turns.items() for at, state in each]
    return Switches().with_turns(
        (name, Turn(number, BASE + at, state)) for number, (at, name, state) in enumerate(sorted(found), 1)
    )


# ---------------------------------------------------------------------------------------------------------- the engine
def test_what_falls_due_while_paused_is_suppressed_and_what_came_before_and_after_is_sent() -> None:
    switches = turned(nudge=[(MINUTE, "paused"), (3 * MINUTE, "live")])
    assert played(switches, "0m visit", "1m visit", "2m visit", "3m visit") == [
        "0s nudge send sms", "1m nudge suppress paused", "2m nudge suppress paused", "3m nudge send sms",
    ]  # fmt: skip


def test_what_has_ended_is_suppressed_as_state() -> None:
    assert played(turned(nudge=[(MINUTE, "ended")]), "0m visit", "1m visit") == [
        "0s nudge send sms", "1m nudge suppress state",
    ]  # fmt: skip


def test_a_held_message_that_is_released_while_paused_is_suppressed() -> None:
    text = NUDGE.replace("quiet_hours: ignore", "quiet_hours: hold")
    policy = 'timezone: UTC\nquiet_hours: {from: "12:00", to: "13:00"}\n'
    simulation = Simulation(rules(text, policy=policy))
    simulation.engine.heed(turned(nudge=[(MINUTE, "paused"), (2 * HOUR, "live")]))
    assert [tell(record) for record in simulation.run([event("0m visit")])] == [
        "0s nudge hold quiet_hours", "1h nudge suppress paused",
    ]  # fmt: skip


def test_a_journey_is_paused_as_a_whole_and_whoever_is_inside_goes_on() -> None:
    told = played(turned(tour=[(MINUTE, "paused")]), "0m signup", "2m signup user=u2 id=e9", text=JOURNEY)
    assert told == [
        "0s tour match", "0s tour.hello send sms", "2m tour suppress paused", "1h tour.later suppress paused",
        "1h tour.left match",
    ]  # fmt: skip


def test_the_file_s_state_holds_where_it_is_stricter() -> None:
    paused = rules(NUDGE.replace("live", "paused")).activities["nudge"]
    draft = msgspec.structs.replace(paused, state="draft")
    on, off = turned(nudge=[(0, "live")]), turned(nudge=[(0, "paused")])
    assert (on.state_of(paused, BASE), off.state_of(draft, BASE)) == ("paused", "draft")
    assert turned(nudge=[(0, "ended")]).state_of(draft, BASE) == "ended"


def test_only_the_newest_turns_are_kept() -> None:
    switches = turned(a=[(n, "paused" if n % 2 == 0 else "live") for n in range(20)])
    assert [each.since - BASE for each in switches.turns["a"]] == list(range(20 - KEPT, 20))
    assert switches.number == 20


# ------------------------------------------------------------------------------------------------------------- the job
class Context:
    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def get_metrics_group(self) -> Context:
        return self

    def add_group(self, *_: str) -> Context:
        return self

    def counter(self, name: str) -> Any:
        counted = self.counted

        class One:
            def inc(self, by: int = 1) -> None:
                counted[name] += by

        return One()


class State(dict[str, bytes]):
    def put(self, key: str, value: bytes) -> None:
        self[key] = value


def test_the_job_announces_each_turn_once_and_trouble_leaves_all_as_it_is() -> None:
    answers: list[Any] = [turned(a=[(0, "paused")]), RuleStoreError("away"), turned(a=[(0, "paused")]), Switches()]

    def look_up() -> Switches:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    watch = SwitchWatch(look_up, Telemetry(Context()))  # type: ignore[arg-type]
    heard = [msgspec.msgpack.decode(value, type=FoundSwitches) for _ in range(4) for value in watch.look()]
    assert [found.switches for found in heard] == [turned(a=[(0, "paused")]), Switches()]


def test_after_a_restore_the_state_knows_best_and_after_a_new_submission_what_was_shipped() -> None:
    old, new = turned(a=[(0, "paused")]), turned(a=[(0, "paused"), (5, "live")])
    state = State()
    assert known_switches(_shipped(old, 100), state) == old  # type: ignore[arg-type]
    state.put("submitted", (100).to_bytes(8, "big"))
    keep_switches(new, state)  # type: ignore[arg-type]
    assert known_switches(_shipped(old, 100), state) == new  # type: ignore[arg-type]
    assert known_switches(_shipped(old, 101), state) == old  # type: ignore[arg-type]


def _shipped(switches: Switches, submitted: int) -> bytes:
    return msgspec.msgpack.encode(Shipped(Release(1, rules(NUDGE)), submitted, None, switches))


# -------------------------------------------------------------------------------------------------------- the database
@pytest.fixture
def store(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/rules.db"
    publish(address)
    return address


def publish(store: str) -> None:
    files = {
        "activities/shop/nudge.yaml": NUDGE.encode(),
        "activities/shop/other.yaml": NUDGE.replace("nudge", "other").encode(),
        "journeys/news/tour.yaml": JOURNEY.encode(),
        "templates/t.sms.liquid": b"hi",
    }
    loaded = load(files)
    assert loaded.rules is not None, loaded.findings
    open_rule_store(store).publish(Release(1, loaded.rules), files, "ann")


def test_a_turn_is_read_by_others_with_who_and_why(store: str) -> None:
    reader = ActivityStates(Control(store))
    assert reader.read() == Switches()
    (result,) = turn(store, Which(("nudge",)), "paused", Actor("ann"), "wrong link", BASE)
    assert (result.changed, result.standing.reason, result.standing.by) == (True, "wrong link", "ann")  # type: ignore[union-attr]
    assert reader.read().at("nudge", BASE) == "paused"
    (again,) = turn(store, Which(("nudge",)), "paused", Actor("bob"), "", BASE + 5)
    assert (again.changed, again.standing) == (False, result.standing)
    turn(store, Which(("nudge",)), "live", Actor("bob"), "mended", BASE + 9)
    assert [reader.read().at("nudge", BASE + at) for at in (-1, 8, 9)] == ["live", "paused", "live"]


def test_it_takes_the_right_to_turn_it(store: str) -> None:
    with pytest.raises(NotAllowedError, match="ann may not switch: it takes one of the roles operator, admin"):
        turn(store, Which(("nudge",)), "paused", Actor("ann", frozenset({"author"})), "", BASE)
    assert turn(store, Which(("nudge",)), "paused", Actor("otto", frozenset({"operator"})), "", BASE)[0].changed


def test_a_theme_or_all_are_turned_journeys_as_a_whole(store: str) -> None:
    shop = turn(store, Which(theme="shop"), "paused", Actor("ann"), "", BASE)
    assert [each.activity for each in shop] == ["nudge", "other"]
    everything = turn(store, Which(all=True), "paused", Actor("ann"), "", BASE + 1)
    assert [(each.activity, each.changed) for each in everything] == [
        ("nudge", False),
        ("other", False),
        ("tour", True),
    ]


def test_what_has_ended_does_not_begin_again(store: str) -> None:
    turn(store, Which(("nudge",)), "ended", Actor("ann"), "", BASE)
    with pytest.raises(AskError, match="nudge: has ended"):
        turn(store, Which(("nudge",)), "live", Actor("ann"), "", BASE + 1)
    assert [each.changed for each in turn(store, Which(all=True), "live", Actor("ann"), "", BASE + 1)] == [False] * 3


BOTH = Which(("nudge",), all=True)


@pytest.mark.parametrize(
    ("which", "error"),
    [(Which(("nuge",)), NotThereError), (Which(theme="x"), NotThereError), (Which(), AskError), (BOTH, AskError)],
)
def test_what_is_not_there_turns_nothing(store: str, which: Which, error: type[Exception]) -> None:
    with pytest.raises(error):
        turn(store, which, "paused", Actor("ann"), "", BASE)
    assert ActivityStates(Control(store)).history() == []


def test_a_rule_folder_has_its_switch_beside_the_rules_and_none_before_it_is_turned(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    publish(str(folder))
    states = ActivityStates(Control(str(folder)))
    assert (states.read(), (folder / ".kairos").exists()) == (Switches(), False)
    turn(str(folder), Which(("tour",)), "paused", Actor("ann"), "", BASE)
    assert states.read().at("tour", BASE) == "paused"
    assert open_rule_store(str(folder)).latest(0).number == 1  # type: ignore[union-attr]


def test_each_turn_is_an_entry_of_the_log(store: str) -> None:
    turn(store, Which(("nudge",)), "paused", Actor("ann"), "", BASE)
    turn(store, Which(("nudge",)), "live", Actor("bob"), "", BASE + 1)
    first, second = AuditLog(Control(store)).entries("activity/nudge")
    assert [(e.actor, e.action) for e in (first, second)] == [("ann", "pause"), ("bob", "resume")]
    assert (second.prev, second.before_hash) == (first.hash, first.after_hash)
    assert [e.hash for e in (first, second)] == [e.computed() for e in (first, second)]
