"""Records that were deleted before they were read: looked for now and then, told once."""

from __future__ import annotations

import threading

import msgspec
import pytest

from kairos.engine.loss import Loss
from operators.losses import LookForLosses, Losses
from operators.telemetry import Telemetry
from tests.unit.job.evaluate_kit import Flink

LOSS = Loss("kairos", "events.shop", 3, 5, 17)


def losses(look: LookForLosses, flink: Flink) -> Losses:
    telemetry: Telemetry = Telemetry(flink)  # type: ignore[arg-type]
    return Losses(lambda: look, telemetry)


def test_what_is_found_is_told_once_and_counted() -> None:
    flink, found = Flink(), [[LOSS], [], [Loss("other", "t", 0, 1, 1)]]
    watched = losses(lambda: found.pop(0), flink)
    watched.search()
    assert [msgspec.msgpack.decode(value, type=Loss) for value in watched.announced()] == [LOSS]
    assert flink.counted["lost.records"] == 13
    watched.search()
    assert list(watched.announced()) == []
    watched.search()
    assert len(list(watched.announced())) == 1


def test_trouble_in_looking_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> list[Loss]:
        raise OSError("away")

    flink = Flink()
    watched = losses(fail, flink)
    for _ in range(3):
        watched.search()
    assert list(watched.announced()) == []
    assert flink.counted["lost.unwatched"] == 3
    assert caplog.text.count("away") == 1


def test_nothing_waits_for_who_looks() -> None:
    looking, answered = threading.Event(), threading.Event()

    def slow() -> list[Loss]:
        looking.set()
        assert answered.wait(30)
        return [LOSS]

    watched = losses(slow, Flink())
    watched.start()
    assert looking.wait(30)
    assert list(watched.announced()) == []
    watched.close()
    answered.set()
