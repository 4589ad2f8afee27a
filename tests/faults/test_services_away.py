"""Kafka, MariaDB and Redis away for a minute each, under traffic: everything resumes, nothing is lost or early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.job import eventually, now
from harness.live_world import LiveWorld
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]

AWAY = 60_000


@pytest.fixture
def world(own_stack: Callable[..., Stack], tmp_path: Path) -> Iterator[LiveWorld]:
    world = LiveWorld(own_stack("kafka", "redis", "mariadb", "heartbeat"), tmp_path)
    yield world
    world.close()


def test_each_service_is_away_for_a_minute(world: LiveWorld) -> None:
    world.start()
    without_kafka(world)
    without_mariadb_then_redis(world)
    world.settle()
    assert world.unknown() == 0


def until(moment: int) -> None:
    eventually(now, lambda time: time >= moment)


def without_kafka(world: LiveWorld) -> None:
    gone = now()
    world.own.down(["kafka"])
    until(gone + AWAY)
    world.own.up(["kafka"])
    world.until_it_goes_on()


def without_mariadb_then_redis(world: LiveWorld) -> None:
    """Twenty seconds apart: workers call nobody whom they cannot reserve; the job waits for profiles, workers go on."""
    gone = now()
    world.own.down(["mariadb"])
    taken = eventually(world.providers.taken, lambda found: bool(found) and found[-1]["at"] < now() - 5_000)
    decided = len(world.topics.read("decisions"))
    eventually(lambda: world.topics.read("decisions"), lambda found: len(found) > decided + 20)
    until(gone + AWAY // 3)
    world.own.down(["redis"])
    until(gone + AWAY)
    assert world.providers.taken() == taken
    world.own.up(["mariadb"])
    eventually(world.providers.taken, lambda found: len(found) > len(taken) + 20)
    until(gone + AWAY * 4 // 3)
    world.own.up(["redis"])
    world.until_it_goes_on()
