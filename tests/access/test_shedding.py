"""Who is refused while a gateway is slow: in a gateway of a known capacity, with time that is set by hand."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.adapters.sources.port import Access, Entry
from kairos.engine.rule.model import Source
from kairos.usecases.intake.rate import Bucket
from kairos.usecases.intake.registry import Door
from kairos.usecases.intake.shedding import CALM_MS, MANY, Demand, Shedding, shares

STEP = 20
"""Milliseconds."""
SLOW = 250
DEMANDS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(Demand, st.integers(0, 2), st.sampled_from([0.0, 1, 5, 40, math.inf]), st.sampled_from([0.0, 2, 5, 50])),
)


@given(st.integers(0, 200), DEMANDS)
def test_what_each_may_send(limit: int, demands: dict[str, Demand]) -> None:
    """By what is promised, not by how it is worked out."""
    cut = shares(limit, demands)
    has = {name: cut.get(name, demand.rate) for name, demand in demands.items()}
    wanted = sum(demand.rate for demand in demands.values())
    assert sum(has.values()) == pytest.approx(min(limit, wanted))
    for poor in cut:
        for other, demand in demands.items():
            least, rank = demands[poor], demand.priority - demands[poor].priority
            if has[poor] < min(least.rate, least.usual) - 1e-6:
                # its usual is cut: nobody has anything beyond, and no less urgent one has anything
                assert has[other] <= demand.usual + 1e-6
                assert rank >= 0 or has[other] <= 1e-6
                assert rank != 0 or has[other] <= has[poor] + 1e-6
            elif rank < 0:
                assert has[other] <= demand.usual + 1e-6


class Gateway:
    """Works off so many events a second, one request after the other."""

    def __init__(self, capacity: float, **priorities: int) -> None:
        self.capacity = capacity
        self.now = 1_000_000
        self.shedding = Shedding(SLOW, self.now)
        self.refused: Counter[str] = Counter()
        self.longest: Counter[str] = Counter()
        """ms from a request to its answer, by source."""
        self.taken: Counter[str] = Counter()
        self._doors = {name: self._door(name, priority) for name, priority in priorities.items()}
        self._waiting: deque[tuple[str, int, int, ExitStack]] = deque()
        self._owed: Counter[str] = Counter()
        self._worked = 0.0

    def _door(self, name: str, priority: int) -> Door:
        return Door(Entry(Source(name, {}), Access(priority=priority)), Bucket(self.now))

    def rank(self, name: str, priority: int) -> None:
        self._doors[name] = self._door(name, priority)

    def run(self, seconds: float, **rates: float) -> None:
        """Each source sends so many events a second, one in a request."""
        self.refused.clear(), self.longest.clear(), self.taken.clear()
        for _ in range(int(seconds * 1000 / STEP)):
            self.now += STEP
            for name, rate in rates.items():
                self._send(name, rate)
            self._work()

    def _send(self, name: str, rate: float) -> None:
        self._owed[name] += rate * STEP / 1000  # type: ignore[assignment]
        while self._owed[name] >= 1:
            self._owed[name] -= 1
            if self.shedding.lets(self._doors[name], self.now) and self.shedding.lets(self._doors[name], self.now, 1):
                working = ExitStack()
                working.enter_context(self.shedding.working(1, self.now, lambda: self.now))
                self._waiting.append((name, self.now, 1, working))
            else:
                self.refused[name] += 1

    def lose(self) -> None:
        """All that waits comes to no good end, as what Kafka does not take for long."""
        while self._waiting:
            with suppress(TimeoutError), self._waiting.popleft()[-1]:
                raise TimeoutError

    def _work(self) -> None:
        self._worked = min(self._worked, 1) + self.capacity * STEP / 1000
        while self._waiting and self._worked >= 1:
            name, since, events, working = self._waiting.popleft()
            self._worked -= events
            working.close()
            self.taken[name] += events
            self.longest[name] = max(self.longest[name], self.now - since)


CALM: Mapping[str, float] = {"shop": 100, "app": 50, "bulk": 40}


def gateway(**priorities: int) -> Gateway:
    made = Gateway(400, **{"shop": 50, "app": 50, "bulk": 50, **priorities})
    made.run(40, **CALM)
    assert not made.refused
    return made


@pytest.mark.parametrize("priority", [0, 50, 100])
def test_a_flood_of_one_source_costs_no_other_a_request(priority: int) -> None:
    """However urgent it is: what is beyond its usual goes before the usual of all others."""
    made = gateway(bulk=priority)
    made.run(40, **{**CALM, "bulk": 1_000})
    assert set(made.refused) == {"bulk"}
    assert made.taken["bulk"] / 40 > 150  # of the 250 that the others leave
    made.run(10, **{**CALM, "bulk": 1_000})
    assert max(made.longest.values()) < 4 * SLOW
    made.run(CALM_MS / 1000 + 2, **CALM)
    made.run(20, **CALM)
    assert not made.refused
    assert max(made.longest.values()) <= STEP


def test_of_two_that_flood_the_less_urgent_gives_way_first() -> None:
    made = gateway(app=60)
    flood = {"shop": 100, "app": 200, "bulk": 400}
    made.run(30, **flood)
    made.run(30, **flood)
    assert "shop" not in made.refused
    assert made.refused["app"] / 200 < 0.25 * made.refused["bulk"] / 400
    made.rank("app", 40)
    made.run(5, **flood)
    made.run(30, **flood)
    assert "shop" not in made.refused
    assert made.refused["bulk"] / 400 < made.refused["app"] / 200


def test_where_too_little_is_left_for_what_is_usual_the_least_urgent_gives_way() -> None:
    made = gateway(shop=90, bulk=10)
    made.capacity = 160
    made.run(20, **CALM)
    made.run(30, **CALM)
    assert "shop" not in made.refused
    assert made.refused["bulk"] > made.refused["app"]


def test_a_kafka_that_takes_nothing_at_all_is_slow_and_somebody_is_let_in_to_see_when_it_is_back() -> None:
    made = gateway()
    made.capacity = 0
    made.run(30, **CALM)
    assert made.refused["shop"] > 2_000
    made.capacity = 400
    made.run(20, **CALM)
    made.run(20, **CALM)
    assert not made.refused


def test_what_was_got_done_before_a_standstill_is_let_in_soon_after_it() -> None:
    """Also what goes beyond the usual: what was cut because nothing went at all says little of what goes now."""
    made = gateway()
    made.capacity = 4_000
    made.run(3, shop=1_000)
    made.capacity = 0
    made.run(12, shop=1_000)
    assert made.refused["shop"]
    made.lose()
    made.capacity = 4_000
    made.run(18, shop=1_000)
    made.run(5, shop=1_000)
    assert not made.refused


def test_what_is_usual_begins_with_the_first_event() -> None:
    """A gateway that nobody sent anything for long learnt nothing of that."""
    made = Gateway(400, shop=50, app=50, bulk=50)
    made.run(400)
    calm = {"shop": 120.0, "app": 20.0, "bulk": 20.0}
    made.run(40, **calm)
    for _ in range(2):
        made.run(20, **{**calm, "app": 1_000, "bulk": 1_000})
        assert "shop" not in made.refused


def test_a_moment_in_which_nothing_goes_is_no_reason() -> None:
    """As at the start of a gateway, which knows nothing yet."""
    made = Gateway(0, shop=50, app=50, bulk=50)
    made.run(0.9, **CALM)
    made.capacity = 4_000
    for _ in range(3):
        made.run(10, **CALM)
        assert not made.refused


def test_one_slow_request_among_quick_ones_is_no_reason() -> None:
    made = gateway()
    with made.shedding.working(10_000, made.now, lambda: made.now):
        made.run(5, **CALM)
    made.run(5, **CALM)
    assert not made.refused


def test_what_fails_at_once_is_not_quick() -> None:
    """Else nothing would be slow while a Kafka that takes nothing refuses some of it at once."""
    made = gateway()
    made.capacity = 0
    for _ in range(20):
        made.run(0.5, **CALM)
        with suppress(TimeoutError), made.shedding.working(1, made.now, lambda: made.now):
            raise TimeoutError
    assert made.refused["shop"]


def test_what_failed_after_long_is_slow() -> None:
    made, door = Gateway(400, shop=50), Door(Entry(Source("shop", {}), Access()), Bucket(0))
    let = []
    for _ in range(8):
        let.append(made.shedding.lets(door, made.now, 100))
        with suppress(TimeoutError), made.shedding.working(100, made.now, lambda: made.now):
            made.now += 10 * SLOW
            raise TimeoutError
    assert not all(let)


@pytest.mark.parametrize(("events", "slow"), [(MANY, True), (MANY * 10, False)])
def test_a_large_request_may_take_longer(events: int, slow: bool) -> None:
    made, door = Gateway(400, bulk=50), Door(Entry(Source("bulk", {}), Access()), Bucket(0))
    let = []
    for _ in range(8):
        with made.shedding.working(events, made.now, lambda: made.now):
            made.now += 4 * SLOW
        let.append(made.shedding.lets(door, made.now, events))
    assert all(let) is not slow
