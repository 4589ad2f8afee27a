"""A rollout that breaks a guardrail is ended, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from kairos.adapters.kafka.rollouts import Became, Decided
from kairos.adapters.profiles.everyone import PeopleAwayError
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.rule.changes.rollout import rollouts_of
from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.changes.switch import Position, Switches, Turn
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.reads.needs import Needs
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState
from kairos.usecases.scheduler.guarding import MOST, Guard
from tests.engine_kit import BASE, rules

OLD = "activity: a\nstate: live\ntrigger: {event: order}\nsend: [{channel: sms, template: t}]\n"
NEW = OLD.replace("state: live", "state: live\nrollout: 50%RAILS").replace("sms", "email")


class World:
    """Topics, people and the switch, of which a guard hears, and a clock."""

    def __init__(self, rails: str = "") -> None:
        self.decided: list[Decided] = []
        self.since: list[int] = []  # of each reading
        self.became: list[Became] = []
        self.refused: dict[str, int] = {}
        self.away = False
        self.release = self.released(rails)
        (self.rollout,) = rollouts_of(self.release)
        self.version = self.rollout.key.partition("@")[2]
        self.switches, self.said, self.now, self.asked = Switches(), list[str](), BASE, 0
        self.guard = Guard(self, self, self, lambda: self.now, self.said.append)
        self.guard.adopt(self.release)

    def released(self, rails: str) -> Release:
        text = NEW.replace("RAILS", f"\nguardrails: {{{rails}}}" if rails else "")
        return succeed(succeed(None, rules(OLD), BASE), rules(text), BASE)

    def read(self, since: int = 0) -> Any:
        if not since:
            return self.switches
        self.since += [since]
        return self._take(self.decided), self._take(self.became)

    def restart(self) -> None: ...

    def _take(self, written: list[Any]) -> Sequence[Any]:
        taken = list(written)
        written.clear()
        return taken

    def everyone(self, needs: Needs) -> Iterator[tuple[str, Mapping[str, Any]]]:
        raise AssertionError("a guard that looks at everybody hears nothing meanwhile")

    def refused_since(self, since: int) -> set[str]:
        if self.away:
            raise PeopleAwayError("gone")
        self.asked += 1
        self.now += 100
        return {user for user, at in self.refused.items() if at >= since}

    def count_refused_since(self, since: int) -> int:
        raise AssertionError("a guard asks who it was")

    def turn(self, activities: Sequence[str], state: Position, by: str, reason: str, now: int) -> list[str]:
        turns = [(name, Turn(self.switches.number + 1, now, state)) for name in activities]
        self.switches = self.switches.with_turns(turns)
        return list(activities)

    def send(self, first: int, end: int, status: str = "sent", version: str = "") -> None:
        for number in range(first, end):
            occurrence = f"o{number}"
            self.decided.append(Decided("a", version or self.version, f"u{number}", occurrence, "send", None, True))
            if status:
                self.became.append(Became("a", occurrence, 1, status, f"u{number}"))

    def hole(self, count: int) -> None:
        holes = [(f"x{n}", f"h{n}", "suppress", "missing_value", True) for n in range(count)]
        self.decided += [Decided("a", self.version, *hole) for hole in holes]

    def step(self) -> bool:
        """Whether the rollout goes on."""
        self.guard.step()
        return self.switches.at(self.rollout.key, self.now) == "live"


def test_messages_that_fail() -> None:
    world = World()
    world.send(0, 95)
    world.send(95, 100, "failed")
    assert world.step(), "five of a hundred are within the default"
    world.send(100, 101, "failed")
    assert not world.step()
    assert world.said == [
        f"the rollout of {world.rollout.key} is ended: 6 of 101 messages failed, more than 0.05 of them. "
        "Everyone has the version before"
    ]
    world.step()
    assert len(world.said) == 1


def test_texts_with_a_hole() -> None:
    world = World()
    world.send(0, 80)
    world.hole(20)
    assert not world.step()


def test_messages_that_should_not_have_gone() -> None:
    world = World("regret: 10%")
    world.send(0, 20, "")
    world.decided += [Decided("a", world.version, f"u{n}", f"o{n}", "regret", None, True) for n in range(2)]
    assert world.step()
    world.decided.append(Decided("a", world.version, "u3", "o3", "regret", None, True))
    assert not world.step()


def test_people_who_unsubscribe_since() -> None:
    world = World("unsubscribed: 4%")
    world.send(0, 50)
    world.refused = {"u1": BASE + 1, "u2": BASE + 1, "u3": BASE - 1, "someone": BASE + 1}
    assert world.step()
    assert world.step(), "two of fifty; the others are not of it, or were gone before"
    world.refused["u4"] = BASE + 1
    assert world.step()
    assert world.step(), "it is not asked all the time"
    assert world.asked == 1
    world.now += 1_000
    assert world.step()
    assert not world.step()
    assert world.asked == 2


def test_what_topics_say_counts_while_nobody_knows_the_people() -> None:
    world = World()
    world.away = True
    world.send(0, 20, "failed")
    with pytest.raises(PeopleAwayError):
        world.step()
    assert world.switches.at(world.rollout.key, world.now) == "ended"


def test_receipts_that_are_late_make_few_holes_no_fault() -> None:
    """Holes are known at once, what became of the others is not."""
    world = World()
    world.send(0, 1_000, "")
    world.hole(30)
    assert world.step()
    world.hole(60)
    assert not world.step()


def test_the_newest_messages_are_kept_and_what_is_told_twice_counts_once() -> None:
    world = World()
    world.send(0, MOST)
    assert world.step()
    world.send(MOST, MOST + 19, "failed")
    world.send(MOST, MOST + 19, "failed")
    assert world.step()
    (watched,) = world.guard._watched.values()
    attempts = [one.attempts for one in watched.messages.values()]
    assert (len(attempts), attempts.count({1: False})) == (MOST, 19)


def test_what_is_rolled_out_beside_others_is_read_from_its_release_on() -> None:
    world = World()
    world.send(0, 15, "failed")
    assert world.step()
    world.now += 1_000_000
    other = NEW.replace("RAILS", "").replace("activity: a", "activity: b")
    both = rules(NEW.replace("RAILS", ""), OLD.replace("activity: a", "activity: b"))
    release = succeed(world.release, both, world.now - 1)
    world.guard.adopt(succeed(release, rules(NEW.replace("RAILS", ""), other), world.now))
    world.send(15, 20, "failed")
    assert not world.step(), "the others are known still"
    assert world.since == [BASE, BASE + 1_000_000]


@pytest.mark.parametrize("others", ["another version", "few"])
def test_nothing_is_concluded_of_others_or_of_few(others: str) -> None:
    world = World()
    if others == "few":
        world.send(0, 19, "failed")
    else:
        world.send(0, 100, "failed", version="0123456789abcdef")
    assert world.step()


def test_a_further_release_of_the_same_rollout_loses_nothing() -> None:
    world = World()
    world.send(0, 15, "failed")
    assert world.step()
    world.guard.adopt(world.released("failed: 50%"))
    world.send(15, 20, "failed")
    assert not world.step()


HOLE = OLD.replace("send:", "data: {code: code}\nsend:")
"""Its text prints a code, which a fifth of the users do not have."""


def test_a_text_with_a_hole_for_a_fifth_is_back_within_five_seconds() -> None:
    """Engine, guard and switch together, by the second, as job and scheduler look at them."""
    old, new = (
        rules(OLD),
        rules(HOLE.replace("state: live", "state: live\nrollout: 50%"), templates={"t.sms": "{{ code }}"}),
    )
    world = World()
    release = succeed(succeed(None, old, BASE), new, BASE)
    (rollout,) = rollouts_of(release)
    world.guard.adopt(release)
    engine = Engine(Settings())
    engine.adopt(compile_release(release, max_runs=10))
    decided: dict[str, list[tuple[int, str]]] = {"inside": [], "outside": []}
    broken = 0
    for second in range(60):
        world.now = BASE + 1_000 * second
        for number in range(10 * second, 10 * second + 10):
            user = f"u{number}"
            order = Event("e", "order", world.now, "", {} if number % 5 == 0 else {"code": "c"}, user)
            for effect in engine.on_event(user, UserState(), order, world.now):
                record = effect.record if isinstance(effect, Candidate) else effect
                assert isinstance(record, Record)
                decided["inside" if rollout.includes(user) else "outside"].append((world.now, record.outcome))
                world.decided.append(msgspec.convert(msgspec.to_builtins(record), Decided))
                if record.outcome == "send":
                    world.became.append(Became("a", record.occurrence, 1, "sent", user))
        world.guard.step()
        if world.said and not broken:
            broken = world.now
        engine.heed(world.switches)
    assert {outcome for _, outcome in decided["outside"]} == {"send"}
    assert len(world.said) == 1
    assert max(at for at, outcome in decided["inside"] if outcome == "suppress") <= broken
    assert {outcome for at, outcome in decided["inside"] if at > broken} == {"send"}
    holes = sum(outcome == "suppress" for _, outcome in decided["inside"])
    assert holes < 20, "it was over as soon as there was enough to conclude from"
