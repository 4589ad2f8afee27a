"""What a new release does to what is in flight, and from when on it counts."""

from __future__ import annotations

import pytest

from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Effect
from kairos.engine.engine import Engine
from kairos.engine.play.simulate import as_if_live
from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release, decode, encode
from kairos.engine.settings import Settings
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, event, ms, rules, tell

TWICE = (
    "activity: a\non_change: {on_change}\ntrigger: {{count: order, times: {times}, within: 1h, where: n >= {least}}}\n"
)
UNPAID = (
    "activity: a\non_change: {on_change}\ntrigger: {{pattern: [{{event: order}}, {{absent: pay}}], within: {within}}}\n"
)
SEND = "send: [{channel: sms, template: t}]\n"


def twice(on_change: str = "keep", times: int = 2, least: int = 1, extra: str = "") -> RuleSet:
    return rules(TWICE.format(on_change=on_change, times=times, least=least) + extra)


def unpaid(on_change: str = "keep", within: str = "10m", extra: str = "", policy: str = "timezone: UTC\n") -> RuleSet:
    return rules(UNPAID.format(on_change=on_change, within=within) + extra, policy=policy)


class Job:
    """One user over releases. The state goes through its encoding after each call."""

    def __init__(self, first: RuleSet) -> None:
        self.engine = Engine(Settings(assume_delivered=True))
        self.state, self.taken = UserState(), 0
        self.release = succeed(None, as_if_live(first), BASE)
        self._adopt()

    def publish(self, rule_set: RuleSet, at: str) -> None:
        self.release = decode(encode(succeed(self.release, as_if_live(rule_set), BASE + ms(at))))
        self._adopt()

    def _adopt(self) -> None:
        previous = self.engine.program if self.release.number > 1 else None
        self.engine.adopt(compile_release(self.release, previous, max_runs=100))

    def take(self, *texts: str) -> list[str]:
        effects: list[Effect] = []
        for text in texts:
            self.taken += 1
            one = event(text, self.taken)
            effects += self.engine.on_event("u1", self.state, one, one.time)
            self._through_bytes()
        return _told(effects)

    def wait(self, until: str) -> list[str]:
        effects = self.engine.on_time("u1", self.state, BASE + ms(until))
        self._through_bytes()
        return _told(effects)

    def _through_bytes(self) -> None:
        codec = StateCodec()
        self.state = codec.decode(codec.encode(self.state))


def _told(effects: list[Effect]) -> list[str]:
    records = [effect.record if isinstance(effect, Candidate) else effect for effect in effects]
    return [tell(record) for record in records if isinstance(record, Record)]


def test_keep_carries_matches_on_under_the_new_conditions() -> None:
    job = Job(twice(least=1))
    job.take("0s order n=1")
    job.publish(twice(least=5), "1m")
    assert job.take("2m order n=1", "3m order n=5") == ["3m a match"]


def test_keep_with_another_shape_restarts() -> None:
    job = Job(twice(times=2))
    job.take("0s order n=1")
    job.publish(twice(times=3), "1m")
    assert job.take("2m order n=1", "3m order n=1", "4m order n=1") == ["4m a match"]
    assert job.engine.counters["runs_restarted"] == 1


def test_a_shorter_deadline_holds_for_every_value_of_per_once_the_user_is_touched() -> None:
    text = "activity: a\ntrigger: {{pattern: [{{event: order}}, {{absent: pay}}], within: {within}, per: n}}\n"
    job = Job(rules(text.format(within="1h")))
    job.take("0s order n=1", "1m order n=2")
    job.publish(rules(text.format(within="10m")), "2m")
    assert job.take("3m order n=3") == []
    assert job.wait("10m") == ["10m a match"]
    assert job.wait("11m") == ["11m a match"]


def test_restart_drops_what_is_in_flight_once() -> None:
    job = Job(twice("restart", least=1))
    job.take("0s order n=1")
    job.publish(twice("restart", least=0), "1m")
    assert job.take("2m order n=1") == []
    job.publish(twice("restart", least=0), "3m")
    assert job.take("4m order n=1") == ["4m a match"]


@pytest.mark.parametrize("wish", ["restart", "keep"])
def test_a_deadline_before_the_release_is_decided_under_the_old_one(wish: str) -> None:
    job = Job(unpaid(wish))
    job.take("0s order")
    job.publish(unpaid(wish, extra="data: {x: '1'}\n"), "15m")
    assert job.wait("20m") == ["10m a match"]


def test_a_deadline_after_the_release_is_dropped_by_restart() -> None:
    job = Job(unpaid("restart"))
    job.take("0s order")
    job.publish(unpaid("restart", extra="data: {x: '1'}\n"), "5m")
    assert job.wait("1h") == []
    assert not job.state.runs


def test_events_before_the_release_s_time_use_the_old_one_even_if_it_is_known_already() -> None:
    job = Job(twice(times=2))
    job.publish(twice(times=3), "10m")
    assert job.take("0s order n=1", "1m order n=1") == ["1m a match"]
    assert job.take("10m order n=1", "11m order n=1", "12m order n=1") == ["12m a match"]


def test_an_incompatible_release_that_is_known_but_not_yet_in_force_disturbs_nothing() -> None:
    job = Job(unpaid())
    job.publish(
        rules("activity: a\ntrigger: {pattern: [{event: x, times: 4, as: y}, {event: order}], within: 1h}\n"), "1h"
    )
    job.take("0s order")
    assert job.wait("59m") == ["10m a match"]


def test_drain_finishes_old_matches_under_the_old_definition_and_starts_new_ones_under_the_new() -> None:
    job = Job(unpaid("drain", "10m", "data: {v: '1'}\n"))
    job.take("0s order")
    job.publish(unpaid("drain", "30m", "data: {v: '2'}\n"), "5m")
    job.take("6m order")
    assert job.wait("9m59s") == []
    assert job.wait("10m") == ["10m a match"]
    assert job.wait("1h") == ["36m a match"]


def test_a_draining_match_is_still_undone_by_an_event_that_the_new_definition_does_not_name() -> None:
    job = Job(unpaid("drain"))
    job.take("0s order")
    text = UNPAID.format(on_change="drain", within="10m").replace("absent: pay", "absent: ship")
    job.publish(rules(text), "1m")
    assert job.take("2m pay") == []
    assert job.wait("1h") == []


def test_a_drained_definition_begins_nothing() -> None:
    job = Job(rules("activity: a\non_change: drain\ntrigger: {event: order}\n"))
    job.publish(rules("activity: a\non_change: drain\ntrigger: {event: order}\ndata: {x: '1'}\n"), "1m")
    assert job.take("2m order") == ["2m a match"]
    job = Job(twice("drain", times=2))
    job.take("0s order n=1")
    job.publish(twice("drain", times=3), "1m")
    assert job.take("2m order n=1") == ["2m a match"]  # the old one's second
    assert job.take("3m order n=1") == []
    assert job.take("4m order n=1") == ["4m a match"]  # the new one's third: 2m, 3m, 4m


def test_what_is_held_goes_on_under_the_new_definition() -> None:
    night = "quiet_hours: {from: '12:00', to: '13:00'}\n"
    job = Job(unpaid(extra=SEND, policy=night))
    job.take("0s order")
    assert job.wait("10m") == ["10m a hold quiet_hours"]
    job.publish(unpaid(extra=SEND.replace("sms", "email"), policy=night), "20m")
    assert job.wait("2h") == ["1h a send email"]


def test_restart_ends_what_is_held() -> None:
    night = "quiet_hours: {from: '12:00', to: '13:00'}\n"
    job = Job(unpaid("restart", extra=SEND, policy=night))
    job.take("0s order")
    job.wait("10m")
    job.publish(unpaid("restart", extra=SEND.replace("sms", "email"), policy=night), "20m")
    assert job.wait("2h") == ["1h a suppress cancelled"]


def test_what_is_removed_is_dropped_and_never_sent() -> None:
    night = "quiet_hours: {from: '12:00', to: '13:00'}\n"
    job = Job(unpaid(extra=SEND, policy=night))
    job.take("0s order", "5m order")
    assert job.wait("10m") == ["10m a hold quiet_hours"]
    job.publish(rules("activity: b\ntrigger: {event: x}\n", policy=night), "12m")
    assert job.wait("2h") == []
    assert not job.state.cases


def test_a_metric_of_another_definition_starts_anew() -> None:
    text = "activity: a\ntrigger: {event: pay, where: metric.orders >= 2}\n"
    job = Job(rules(text, metrics="orders: {count: order}\n"))
    job.take("0s order", "1s order")
    job.publish(rules(text, metrics="orders: {count: order, where: n == 1}\n"), "1m")
    assert job.take("2m pay", "3m order n=1", "4m order n=1", "5m pay") == ["5m a match"]


def test_unchanged_activities_are_not_compiled_again() -> None:
    first = rules("activity: a\ntrigger: {event: x}\n", "activity: b\ntrigger: {event: x}\n")
    second = rules("activity: a\ntrigger: {event: x}\n", "activity: b\ntrigger: {event: y}\n")
    old = compile_release(Release(1, first), max_runs=10)
    new = compile_release(Release(2, second), old, max_runs=10)
    assert new.activities["a"] is old.activities["a"]
    assert new.activities["b"] is not old.activities["b"]


def test_the_job_keeps_what_it_knows_of_the_release_before() -> None:
    job = Job(twice())
    for number in range(3):
        job.publish(twice(least=number), f"{number + 1}m")
    assert job.engine.program_at(BASE + ms("3m")).number == 4
    assert job.engine.program_at(BASE + ms("2m59s")).number == 3
    assert job.engine.program_at(BASE).number == 3
