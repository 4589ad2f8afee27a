"""Whatever comes in at any door: no process ends or restarts, none holds more than it may, and every good record
beside it is decided and sent.

Bounded and seeded: two minutes in CI. By hand, longer and with other seeds:

    KAIROS_FUZZ_SECONDS=3600 KAIROS_FUZZ_SEED=7 pytest tests/faults/test_fuzzer.py
    KAIROS_FUZZ_SECONDS=1 KAIROS_FUZZ_ONLY=tombstone pytest tests/faults/test_fuzzer.py
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.job import now
from kairos.apps.stack import Stack
from tests.faults.fuzz_judge import complaints
from tests.faults.fuzz_settings import only, setting
from tests.faults.fuzz_world import FuzzWorld
from tests.faults.hostile import KINDS, Hostile

SECONDS, SEED = setting("SECONDS", 60), setting("SEED", 1)
ROUND = 15
"""Of hostile things through each door, between two groups of good users."""
STALLED_SECONDS = 60

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(SECONDS + 900)]


@pytest.fixture
def world(own_stack: Callable[..., Stack], tmp_path: Path) -> Iterator[FuzzWorld]:
    world = FuzzWorld(own_stack("kafka", "redis", "mariadb", "rabbitmq", "heartbeat"), tmp_path)
    try:
        world.start()
        yield world
    finally:
        world.close()


def test_whatever_comes_in_the_good_is_done(world: FuzzWorld) -> None:
    hostile, end = Hostile(SEED, now, only(KINDS)), time.monotonic() + SECONDS
    first = 0
    while first == 0 or time.monotonic() < end:
        world.fire(hostile, ROUND)
        users = world.greet(first)
        waiting = _until_empty(partial(world.waiting, users))
        found = complaints(world.seen(waiting, _until_empty(world.stuck)))
        assert not found, f"seed {SEED}, users from u{first}: {found}"
        first += len(users)


def _until_empty(get: Callable[[], set[str]]) -> set[str]:
    """What is left after all that time."""
    limit = time.monotonic() + STALLED_SECONDS
    while (left := get()) and time.monotonic() < limit:
        time.sleep(0.5)
    return left
