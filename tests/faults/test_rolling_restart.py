"""Everything restarted one after the other under traffic, and the job at other parallelisms: no loss, no duplicates.

A second job on the same group and topics is refused while the first lives, and let in when it was killed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.job import JobProcess, now
from harness.live_world import CHANNELS, LiveWorld
from kairos.apps.native.ports import free_ports
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def world(own_stack: Callable[..., Stack], tmp_path: Path) -> Iterator[LiveWorld]:
    world = LiveWorld(own_stack("kafka", "redis", "mariadb", "heartbeat"), tmp_path)
    yield world
    world.close()


def test_rolling_restart_under_traffic(world: LiveWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.start()
    begun = {"before": now()}
    for name, step in STEPS.items():
        begun[name] = now()
        step(world)
    begun["after"] = now()
    world.until_it_goes_on()
    world.settle()
    with capsys.disabled():
        sys.stdout.write("\n" + gaps(world, begun))


def second_job(world: LiveWorld) -> None:
    (port,) = free_ports(1)
    again = ["--conf", str(world.conf), "--set", f"flink.rest.bind-port='{port}'", "--from", "latest"]
    second = JobProcess(world.folder / "second", again)
    assert second.wait() == 2
    assert "another engine is at work on group 'kairos'" in second.said()
    assert "generation 1" in second.said()
    world.until_it_goes_on()


def workers(world: LiveWorld) -> None:
    """The new one joins before the old one leaves: half of what is waiting changes hands, twice."""
    for channel in CHANNELS:
        before = world.workers[channel]
        world.start_workers([channel])
        world.workers[channel].until_said(" at work,")
        assert before.stop() == 0
    world.until_it_goes_on()
    assert world.unknown() == 0


def killed_workers(world: LiveWorld) -> None:
    for channel in CHANNELS:
        world.workers[channel].kill()
    world.start_workers()
    world.until_it_goes_on()


def to_two_slots(world: LiveWorld) -> None:
    world.start_job("--from", world.stop_job(), "--set", "job.parallelism=2")
    world.until_it_goes_on()


def service(name: str) -> Callable[[LiveWorld], None]:
    def restart(world: LiveWorld) -> None:
        world.own.down([name])
        world.own.up([name])
        world.until_it_goes_on()

    return restart


def killed_job_to_one_slot(world: LiveWorld) -> None:
    assert world.job is not None
    world.job.kill()
    world.start_job("--from", "latest", "--set", "job.parallelism=1")
    world.until_it_goes_on()


STEPS: dict[str, Callable[[LiveWorld], None]] = {
    "second job refused": second_job,
    "workers restarted": workers,
    "job stopped, 1 -> 2 slots": to_two_slots,
    **{f"{name} restarted": service(name) for name in ("redis", "mariadb", "kafka", "heartbeat")},
    "job killed, 2 -> 1 slots": killed_job_to_one_slot,
    "workers killed": killed_workers,
}


def gaps(world: LiveWorld, begun: dict[str, int]) -> str:
    """The longest that a message waited from its decision to its provider, by what was going on when it was decided."""
    delays, ends = world.delays(), [*list(begun.values())[1:], now()]
    lines = ["longest wait from decision to provider"]
    for (name, start), end in zip(begun.items(), ends, strict=True):
        waits = [wait for at, wait in delays if start <= at < end]
        if waits:
            lines.append(f"  {name:<28} {max(waits) / 1000:6.1f} s  of {len(waits)} messages")
    return "\n".join(lines) + "\n"
