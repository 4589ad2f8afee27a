"""How releases follow each other in the job: shipped, found while running, after a restore, and broken."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import msgspec
import pytest

from kairos.engine.pattern.spec import Pattern, Step
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import Release, activity_version
from operators.rules import Announcement, PollRules, Shipped, following, keep_releases, known_releases, submission_of


def rules(event: str, on_change: str = "keep") -> RuleSet:
    pattern = Pattern((Step("event", (event,), event),))
    return RuleSet({"greeting": Activity("greeting", pattern, state="live", on_change=on_change)})  # type: ignore[arg-type]


def shipped(release: Release, submitted: int) -> bytes:
    return msgspec.msgpack.encode(Shipped(release, submitted))


def found(release: Release, submitted: int = 100, seen: int = 200) -> Announcement:
    return Announcement(release, submitted, seen, shipped=False)


class State(dict[str, bytes]):
    """Broadcast state."""

    def put(self, key: str, value: bytes) -> None:
        self[key] = value


def test_a_fresh_job_knows_what_it_was_shipped_with() -> None:
    first = Release(1, rules("login"))
    assert known_releases(shipped(first, 100), State()) == [first]


def test_after_a_failure_what_was_found_while_running_is_still_in_force() -> None:
    first, second = Release(1, rules("login")), Release(2, rules("logout"), effective_at=150)
    state = State()
    keep_releases([first, second], 100, state)
    assert submission_of(state) == 100
    assert known_releases(shipped(first, 100), state) == [first, second]


def test_a_new_submission_goes_before_what_the_state_knows() -> None:
    first, second = Release(1, rules("login")), Release(2, rules("logout"), effective_at=150)
    state = State()
    keep_releases([first, second], 100, state)
    before, newest = known_releases(shipped(Release(1, rules("signup")), 300), state)
    assert before == second
    assert (newest.number, newest.effective_at, newest.rules) == (3, 300, rules("signup"))


def test_a_new_submission_of_the_same_rules_changes_nothing() -> None:
    second = Release(2, rules("logout"), effective_at=150)
    state = State()
    keep_releases([second], 100, state)
    assert known_releases(shipped(Release(1, rules("logout")), 300), state) == [second]


def test_what_is_found_follows_whatever_its_number() -> None:
    known = Release(7, rules("login"), effective_at=150)
    follower = following(known, found(Release(2, rules("logout"), effective_at=180)), 100)
    assert follower is not None
    assert (follower.number, follower.effective_at, follower.rules) == (8, 180, rules("logout"))
    assert following(known, found(Release(9, rules("login"), effective_at=180)), 100) is None


def test_a_release_from_before_is_in_force_from_when_it_was_seen() -> None:
    known = Release(7, rules("login"), effective_at=150)
    follower = following(known, found(Release(6, rules("logout"), effective_at=50), seen=200), 100)
    assert follower is not None
    assert follower.effective_at == 200


def test_seeds_alone_are_something_new() -> None:
    known = Release(7, rules("login"))
    follower = following(known, found(Release(8, rules("login"), 150, seeds={"spend": {"u1": 3}})), 100)
    assert follower is not None
    assert follower.seeds == {"spend": {"u1": 3}}


def test_what_the_open_matches_began_under_drains() -> None:
    known = Release(7, rules("login"))
    old = activity_version(known.rules.activities["greeting"])
    other = {"0123456789abcdef": known.rules.activities["greeting"]}
    newer = Release(8, rules("logout", on_change="drain"), 150, draining=other, drain_until={"0123456789abcdef": 900})
    follower = following(known, found(newer), 100)
    assert follower is not None
    assert follower.draining.keys() == follower.drain_until.keys() == {old, "0123456789abcdef"}


class Context:
    """A runtime context that keeps the counters."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.group = ""

    def get_metrics_group(self) -> Context:
        return self

    def add_group(self, name: str) -> Context:
        self.group = name
        return self

    def counter(self, name: str) -> Any:
        full, counted = f"{self.group}.{name}", self.counted

        class One:
            def inc(self, by: int = 1) -> None:
                counted[full] += by

        return One()


class Store:
    """Answers as told; an answer that is text is an error."""

    def __init__(self, *answers: Release | str | None) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []

    def latest(self, after: int) -> Release | None:
        self.asked.append(after)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise OSError(answer)
        return answer


def poll(store: Store, ticks: int) -> tuple[list[list[Announcement]], Counter[str]]:
    context = Context()
    poller = PollRules(lambda: store, None, None, shipped(Release(1, rules("login")), 100), lambda: 0.2)
    poller.open(context)  # type: ignore[arg-type]
    decode = msgspec.msgpack.Decoder(Announcement).decode
    return [[decode(value) for value in poller.flat_map(None)] for _ in range(ticks)], context.counted


def test_the_poller_announces_what_was_shipped_and_then_what_it_finds() -> None:
    second, third = Release(2, rules("login")), Release(3, rules("logout"))
    store = Store(second, None, third, None)
    announced, counted = poll(store, 4)
    assert announced == [
        [Announcement(Release(1, rules("login")), 100, 100, shipped=True), found(second)],
        [],
        [found(third)],
        [],
    ]
    assert store.asked == [0, 2, 2, 3]
    assert counted == {"rules.found": 2}


def test_trouble_is_counted_each_time_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(None, "no route", "no route", "broken", Release(2, rules("logout")), "no route")
    with caplog.at_level(logging.ERROR):
        announced, counted = poll(store, 6)
    assert [len(one) for one in announced] == [1, 0, 0, 0, 1, 0]
    assert counted == {"rules.refused": 4, "rules.found": 1}
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == ["no route", "broken", "no route"]
