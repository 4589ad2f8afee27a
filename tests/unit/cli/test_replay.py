"""The pace of a replay, with a clock that only moves by waiting."""

from __future__ import annotations

import msgspec
import pytest

from kairos.engine.event import Event, decode
from kairos.usecases.operation.replay import Record, paced

START = 1_800_000_000.0


class Clock:
    """`slow`: seconds that each look at it takes."""

    def __init__(self, slow: float = 0.0) -> None:
        self.now = START
        self.slow = slow

    def __call__(self) -> float:
        self.now += self.slow
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def event(number: int, time: int, source: str = "web") -> Event:
    return Event(f"e{number}", "order_created", time, source, {"amount": number}, f"u{number % 2}")


def sent(events: list[Event], speed: float, clock: Clock) -> list[Record]:
    return list(paced(events, speed, "replay", clock, clock.wait))


@pytest.mark.parametrize("speed", [1, 60, 3600])
def test_distances_shrink_with_the_speed(speed: float) -> None:
    hour = 3_600_000
    records = sent([event(0, 0), event(1, hour), event(2, 2 * hour)], speed, Clock())
    start = int(START * 1000)
    assert [record.time - start for record in records] == pytest.approx([0, hour / speed, 2 * hour / speed], abs=1)


def test_never_ahead_of_the_clock_and_in_order_when_behind() -> None:
    clock = Clock(slow=5.0)
    times = []
    for record in paced([event(n, n * 1000) for n in range(10)], 10, "replay", clock, clock.wait):
        assert record.time <= clock.now * 1000
        times.append(record.time)
    assert times == sorted(times)
    assert len(times) == 10


def test_what_is_sent_is_an_envelope_under_the_user_and_its_source() -> None:
    with_source, without = sent([event(1, 0), event(2, 0, source="")], 60, Clock())
    assert (with_source.topic, without.topic) == ("events.web", "events.replay")
    assert (with_source.key, without.key) == (b"u1", b"u0")
    received = decode(with_source.value)
    assert (received.type, received.user_id, received.props) == ("order_created", "u1", {"amount": 1})
    assert (received.source, received.time) == ("web", with_source.time)


def test_a_second_replay_has_ids_of_its_own() -> None:
    later = Clock()
    later.now += 1
    first, second = sent([event(1, 0)], 60, Clock()), sent([event(1, 0)], 60, later)
    ids = [msgspec.json.decode(record.value)["id"] for record in (*first, *second)]
    assert ids[0] != ids[1]
    assert all(each.endswith("-e1") for each in ids)
