"""A crowd changes under a running job on Kafka, while builder, Redis and job are killed: no decision sees a mixture.

`KAIROS_CROWD=1000000` makes the crowd so large; the seconds from the builder's start to the first decision of the new
snapshot are in `seconds.txt` then, of a folder that `--basetemp` names.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.job import LiveJob, event, eventually, now
from harness.world import Running, write_conf
from kairos.adapters.crowds.redis import MEMBERS, RedisCrowds
from kairos.adapters.profiles.redis import connect
from kairos.adapters.warehouse.change import changing
from kairos.adapters.warehouse.folder import Folder
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]

SIZE = int(os.environ.get("KAIROS_CROWD", "20000"))
CHANGED = SIZE // 100
WATCHED = 15
"""Users of each kind who look in all the time."""
RULES = {
    "crowds.yaml": "vip: {members: kept}\n",
    "policy.yaml": "timezone: UTC\n",
    "activities/a/looked.yaml": "activity: looked\nstate: live\ntrigger: {event: visit}\naudience: {in: [vip]}\n",
}


class World:
    """Snapshot n is of the users n * CHANGED .. n * CHANGED + SIZE, so that each is 1 % others."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.warehouse = folder / "warehouse"
        with changing(Folder(self.warehouse)):
            pass
        for name, text in RULES.items():
            (folder / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "rules" / name).write_text(text)
        self.conf = write_conf(
            folder / "conf.yaml",
            {"kafka": {"bootstrap": stack.settings.kafka, "prefix": "crowded."},
             "profiles": {"redis": stack.settings.redis_url},
             "rules": {"store": str(folder / "rules")}},
        )  # fmt: skip
        overrides = [f"profiles.redis={stack.settings.redis_url}"]
        self.job = LiveJob(folder / "job", stack.settings.kafka, folder / "rules", overrides)
        self.builders = 0
        self.visits = 0

    def members(self, n: int) -> range:
        return range(n * CHANGED, n * CHANGED + SIZE)

    def builder(self, n: int) -> Running:
        """Of a process that makes the users of n the next snapshot."""
        file = self.folder / f"vip{n}.csv"
        file.write_text("".join(f"u{user}\n" for user in self.members(n)))
        self.builders += 1
        words = ["kairos", "crowds", "import", "vip", str(file), "--warehouse", str(self.warehouse)]
        words += ["--rules", str(self.folder / "rules"), "--conf", str(self.conf)]
        return Running(self.folder / f"builder{self.builders}.txt", words)

    def watched(self) -> Iterator[int]:
        """Who stays, and who enters or leaves with one of the first snapshots."""
        for n in range(6):
            yield from range(n * CHANGED, n * CHANGED + WATCHED)
            yield from range(n * CHANGED + SIZE - WATCHED, n * CHANGED + SIZE)

    def visit(self) -> None:
        self.visits += 1
        for user in self.watched():
            self.job.send(event(f"u{user}", "visit", now()) | {"id": f"{user}-{self.visits}"})
        self.job.topics.flush()

    def live(self) -> int:
        live = RedisCrowds(connect(self.stack.settings.redis_url)).live()
        return live["vip"].n if "vip" in live else 0

    def staged(self, user: int) -> bool:
        return bool(connect(self.stack.settings.redis_url).exists(f"{MEMBERS}u{user}"))

    def decided(self, n: int) -> bool:
        """Somebody looks in, until a decision names snapshot n."""
        self.visit()
        return any(record.get("crowds") == {"vip": n} for record in self.job.decisions()[-500:])

    def check(self) -> None:
        """Every decision names a snapshot, and is what that snapshot says."""
        numbers = set()
        for record in self.job.decisions():
            n, user = record["crowds"]["vip"], int(record["user_id"][1:])
            numbers.add(n)
            assert record["outcome"] == ("match" if user in self.members(n - 1) else "suppress"), record
        assert numbers == {1, 2, 3, 4}


@pytest.fixture
def world(own_stack: Callable[..., Stack], tmp_path: Path) -> Iterator[World]:
    world = World(own_stack("kafka", "redis", "heartbeat"), tmp_path)
    yield world
    world.job.close()


def test_whatever_is_killed_no_decision_sees_a_mixture(world: World, tmp_path: Path) -> None:
    first = world.builder(0)
    assert first.wait() == 0, first.said()
    world.job.start().until_running()
    eventually(lambda: world.decided(1), bool)

    # the builder is killed while it writes: nobody sees anything of it
    builder = world.builder(1)
    last = world.members(1)[-1]
    eventually(lambda: world.staged(last) or builder.process.poll() is not None, bool)
    builder.kill()
    if world.live() == 1:
        eventually(lambda: world.decided(1), bool)
        assert world.builder(1).wait() == 0
    eventually(lambda: world.decided(2), bool)

    # the job is killed, and Redis while a builder writes; the builder says so, and the next one does it
    assert world.job.process is not None
    world.job.process.kill()
    builder = world.builder(2)
    world.stack.down(["redis"])
    assert builder.wait() != 0 or "live" in builder.said()
    world.stack.up(["redis"])
    if world.live() == 2:
        assert world.builder(2).wait() == 0
    world.job.start("--from", "latest").until_running()
    eventually(lambda: world.decided(3), bool)

    begun = time.monotonic()
    assert world.builder(3).wait() == 0
    flipped = time.monotonic() - begun
    eventually(lambda: world.decided(4), bool)
    (tmp_path / "seconds.txt").write_text(f"flipped {flipped:.1f}\ndecided {time.monotonic() - begun:.1f}\n")
    world.check()
