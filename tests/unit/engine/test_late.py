"""Events later than what was applied, and repeated ones."""

from __future__ import annotations

from collections.abc import ItemsView, Mapping

import msgspec
import pytest

from kairos.engine.engine import Engine
from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.compile import compile_release
from kairos.engine.settings import Settings
from kairos.engine.user.state import ActivityRuns
from tests.engine_kit import BASE, decisions, event, events, ms, rules, run, tell
from tests.unit.engine.live_user import User, user

SEND = "send: [{channel: sms, template: t}]\n"
UNPAID = "activity: a\ntrigger: {pattern: [{event: order}, {absent: pay}], within: 10m}\n" + SEND
NIGHT = "quiet_hours: {from: '12:00', to: '13:00'}\n"


def test_it_cancels_an_absence_that_is_not_decided_yet() -> None:
    u = user(UNPAID)
    u.take("0s order", "0s", 1)
    u.take("5m order", "5m", 2)
    assert u.take("3m pay", "5m", 3) == ["late"]
    assert u.wait("1h") == ["15m a send sms"]
    assert u.engine.counters["late"] == 1


def test_it_joins_no_pattern() -> None:
    u = user("activity: a\ntrigger: {count: order, times: 2, within: 1h}\n")
    u.take("10m order", "10m", 1)
    assert u.take("5m order", "10m", 2) == ["late"]
    assert u.take("20m order", "20m", 3) == ["20m a match"]


def test_metrics_count_it() -> None:
    u = user(
        "activity: a\ntrigger: {event: pay, where: metric.orders == 2}\n",
        metrics="orders: {count: order, window: 1d}\n",
    )
    u.take("10m order", "10m", 1)
    u.take("5m order", "10m", 2)
    assert u.take("20m pay", "20m", 3) == ["20m a match"]


def test_a_match_and_a_control_are_regretted_without_a_recall() -> None:
    for text in (UNPAID.replace(SEND, ""), UNPAID + "audience: {control_group: 100%}\n"):
        u = user(text)
        u.take("0s order", "0s", 1)
        u.wait("10m")
        assert u.take("5m pay", "10m", 2) == ["late", "10m a regret"]


def test_regret_is_for_a_day_after_the_decision_or_what_is_set() -> None:
    u = user(UNPAID.replace(SEND, ""), regret_for=ms("1h"))
    u.take("0s order", "0s", 1)
    u.take("1h9m59s order", "1h9m59s", 2)
    assert u.take("5m pay", "1h9m59s", 3)[1:] == ["1h9m59s a regret"]
    u = user(UNPAID + "goal: {event: buy, within: 30d}\n", regret_for=ms("1h"))
    u.take("0s order", "0s", 1)
    u.take("1h10m order", "1h10m", 2)
    assert u.take("5m pay", "1h10m", 3) == ["late"]


def test_what_is_held_is_cancelled_by_a_late_event_before_or_after_its_match() -> None:
    for late in ("5m pay", "15m pay"):
        u = user(UNPAID, policy=NIGHT)
        u.take("0s order", "0s", 1)
        assert u.take("20m order", "20m", 2) == ["10m a hold quiet_hours"]
        assert u.take(late, "20m", 3) == ["late", "20m a suppress cancelled"]
        assert u.wait("2h") == ["30m a hold quiet_hours", "1h a send sms"]


class Asked(dict[str, ActivityRuns]):
    """Open matches that remember which of them were looked at: of a user of whom many are kept, each costs."""

    def __init__(self, runs: Mapping[str, ActivityRuns]) -> None:
        super().__init__(runs)
        self.keys_asked: set[str] = set()

    def __getitem__(self, key: str) -> ActivityRuns:
        self.keys_asked.add(key)
        return super().__getitem__(key)

    def items(self) -> ItemsView[str, ActivityRuns]:
        self.keys_asked |= self.keys()
        return super().items()


@pytest.mark.parametrize("state", ["live", "shadow"])
@pytest.mark.parametrize("merged", [False, True])
def test_it_costs_what_it_touches(state: str, merged: bool) -> None:
    """Whatever else waits for something, the deadlines of that stand."""
    waiting = [UNPAID.replace("activity: a", f"activity: a{n}").replace("pay", f"pay{n}") for n in range(20)]
    given = rules(*(f"{text}state: {state}\n" for text in waiting))
    u = User(Engine(Settings()))
    u.engine.adopt(compile_release(succeed(None, given, BASE), max_runs=100))
    u.take("0s order", "0s", 1)
    u.take("1s other", "1s", 2)
    kept = u.state if u.state.shadow is None else u.state.shadow
    kept.runs = asked = Asked(kept.runs)
    late = msgspec.structs.replace(event("500ms pay7", 3), merged=merged)
    u.engine.on_event("u1", u.state, late, BASE + 1_000)
    assert (len(asked), asked.keys_asked) == (19, {"a7"})
    assert len(u.wait("1h")) == 19


# ------------------------------------------------------------------------------------------------------- repetitions


WATCH = "activity: a\ntrigger: {event: order}\n"


def test_the_first_in_event_time_stays() -> None:
    given = events("5s order id=x n=2", "0s order id=x n=1", "9s order id=x user=u2", "9s order id=x source=s")
    records = run(rules(WATCH + "data: {n: n}\n"), given)
    assert [(tell(r, users=True), r.data["n"]) for r in records] == [
        ("0s a match u1", 1), ("9s a match u1", None), ("9s a match u2", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dedup", "at", "dropped"), [("", "23h59m59s", True), ("", "1d", False), ("dedup: 1h\n", "1h", False)]
)
def test_the_horizon(dedup: str, at: str, dropped: bool) -> None:
    told = decisions(rules(WATCH, policy=dedup or "timezone: UTC\n"), events("0s order id=x", f"{at} order id=x"))
    assert told == ["0s a match"] + ([] if dropped else [f"{at} a match"])


def test_of_two_that_wait_the_earlier_one_stays_whichever_arrived_first() -> None:
    for first, second in (("1s", "2s"), ("2s", "1s")):
        u = user(WATCH)
        u.take(f"{first} order id=x", "0s", 1)
        u.take(f"{second} order id=x", "0s", 2)
        assert u.wait("1h") == ["1s a match"]
        assert u.engine.counters["duplicate"] == 1


def test_beyond_the_lateness_the_one_applied_or_yet_to_apply_stays() -> None:
    u = user(WATCH)
    assert u.take("5s order id=x", "5s", 1) == ["5s a match"]
    assert u.take("1s order id=x", "5s", 2) == []
    u.take("20s order id=y", "10s", 3)
    u.take("15s order id=z", "15s", 4)
    assert u.take("14s order id=y", "15s", 5) == []
    assert u.wait("1h") == ["20s a match"]
    assert u.engine.counters["late"] == 0
