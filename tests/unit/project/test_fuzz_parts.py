"""The fuzzer's own parts: it repeats itself, it sends what it says, and its judge is no rubber stamp."""

from __future__ import annotations

import os

import pytest

from tests.faults.fuzz_judge import MB, Seen, complaints, lasting, memory_of
from tests.faults.hostile import Hostile

WELL = {"memory": {"job": 10 * MB}, "restarts": 0, "limits": {"job": 20 * MB}}


def test_nothing_is_said_where_all_is_well() -> None:
    assert complaints(Seen(**WELL)) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"memory": {"job": None}}, "job has ended"),
        ({"memory": {"job": 21 * MB}}, "job holds 21 MB of 20"),
        ({"restarts": 2}, "the job was restarted 2 times"),
        ({"waiting": frozenset({"u1"})}, "stalled: 1 good users have no message, ['u1']"),
        ({"stuck": ("deliveries.sms/1",)}, "deliveries.sms/1 is not committed to its end"),
        ({"refused": ("long_type",)}, "refused for ever: long_type"),
    ],
)
def test_each_fault_is_a_complaint(wrong: dict[str, object], said: str) -> None:
    assert complaints(Seen(**{**WELL, **wrong})) == [said]


def test_what_is_refused_each_time_is_refused_for_ever() -> None:
    assert lasting([("a", [503, 503]), ("b", [503, 200]), ("c", [400, 400]), ("d", [])]) == ("a",)


def test_memory_is_that_of_the_process_and_none_where_there_is_none() -> None:
    assert (memory_of(os.getpid()) or 0) > MB
    assert memory_of(2**22 + 1) is None


def test_the_same_seed_is_the_same_fuzz() -> None:
    one, other = (Hostile(7, lambda: 1_763_778_000_000) for _ in range(2))
    assert [one.record() for _ in range(300)] == [other.record() for _ in range(300)]
    assert [one.request() for _ in range(40)] == [other.request() for _ in range(40)]


def test_all_that_it_is_for_comes_up() -> None:
    hostile = Hostile(1, lambda: 1_763_778_000_000)
    records = [hostile.record() for _ in range(1_000)]
    values = [record.value for record in records if record.value is not None]
    assert len(values) < len(records)
    assert any(record.key is None for record in records)
    assert any(len(record.key or b"") > 65_536 for record in records)
    assert max(map(len, values)) > 500_000
    assert any(value.startswith(b"[" * 1_000) for value in values)
    assert all(len(value) <= 1_000_000 for value in values)
    bodies = [hostile.request() for _ in range(60)]
    assert any(request.headers.get("content-encoding") == "gzip" for request in bodies)
