"""kill -9 of each process, again and again, under traffic: how long until it is at work again, how long a message waits
at most, and that none is lost or goes twice: `python -m benchmarks.availability [--only NAME]... [--kills N]
[--quick | --write]`.

Everything runs on this machine: Kafka, Redis, MariaDB, a Flink cluster, workers, gateway, scheduler, heartbeat, and ten
users a second who sign up and order. A second after its death a process is started again, as the units in
deploy/systemd have it. A wait is from a sender's first try to the provider; of the bridge from the foreign topic to
ours. Processes that no message waits for die at the same time, so what is said of one has the others' starts in it.
The name `upgrade` is `kairos upgrade` instead of a kill, a quarter as often. `--write` puts the table into
docs/availability.md; what was not measured this time stays as it was.
"""

from __future__ import annotations

import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from benchmarks.kit.availability import ALONE, VICTIMS, Bridged, Victim, World, world
from benchmarks.kit.command import arguments
from benchmarks.kit.page import PAGE, grid, machine, note
from benchmarks.kit.results import LATEST
from harness.cluster_world import GatewayTraffic
from harness.job import eventually, now

AVAILABILITY = PAGE.with_name("availability.md")
KEPT = LATEST.with_name("availability.json")
RESTART_SECONDS = 1.0
"""RestartSec of deploy/systemd."""
BEFORE_MS = 3_000
"""What is under way at a kill was begun so long before it, at most."""
UPGRADE = "upgrade"
_GAP = re.compile(r"no job for ([\d.]+) s")


class Measured(msgspec.Struct, frozen=True):
    """Times in ms, one for each kill. `again`: until it is at work. `waits`: of the message that waited longest; of
    nothing where none waits for it. `calm`: the longest wait before the first kill. `unknown`: messages of which nobody
    can say whether they went. `on`: what it was measured on."""

    process: str
    again: list[int]
    waits: list[int]
    calm: int
    unknown: int
    on: str


class Subject:
    """What is killed, and the messages that pass it."""

    def __init__(self, live: World, name: str) -> None:
        self.live, self.name = live, name
        self._victim: Victim | None = VICTIMS.get(name)
        self.bridged = Bridged(live.own.settings.kafka) if name == "bridge" else None

    def hit(self) -> int:
        """How long (ms) it was away."""
        if self._victim is None:
            return self._upgrade()
        group, process = self._victim.group(self.live), self._victim.name(self.live)
        at = now()
        group.kill(process)
        time.sleep(RESTART_SECONDS)
        group.up([process])
        return now() - at

    def _upgrade(self) -> int:
        said = self.live.upgrade().communicate()[0]
        found = _GAP.search(said)
        if found is None:
            raise RuntimeError(f"the upgrade has failed:\n{said}")
        return round(float(found[1]) * 1000)

    def _times(self) -> tuple[dict[int, int], dict[int, int]]:
        """When each message was begun, and when it arrived; those that have not are missing."""
        if self.bridged is not None:
            return dict(self.bridged.begun), dict(self.bridged.arrived)
        assert isinstance(self.live.traffic, GatewayTraffic)
        return dict(self.live.traffic.begun), self.live.arrivals()

    def until_one_arrives(self, since: int) -> None:
        """One that was begun after this (epoch ms)."""

        def newest() -> int:
            begun, arrived = self._times()
            return max((begun[number] for number in arrived), default=0)

        eventually(newest, lambda found: found > since)

    def longest(self, first: int, last: int) -> int:
        """The longest wait of what was begun between the two."""
        begun, arrived = self._times()
        return max(at - begun[number] for number, at in arrived.items() if first <= begun[number] < last)

    @property
    def apart(self) -> float:
        return self._victim.apart if self._victim else 0.0


def hits(live: World, name: str, count: int) -> Callable[[], Measured]:
    """Kills it so often. What comes of it can be told once everything has come to rest."""
    subject, began, unknown = Subject(live, name), now(), live.unknown()
    subject.until_one_arrives(began + 5_000)
    times, again = [], []
    for number in range(count):
        times.append(now())
        again.append(subject.hit())
        print(f"{name}, {number + 1} of {count}: away for {_seconds(again[-1])}", file=sys.stderr)
        subject.until_one_arrives(now())
        time.sleep(max(0.0, subject.apart - (now() - times[-1]) / 1000))
    times.append(now())
    on, unknown = machine(), live.unknown() - unknown
    if subject.bridged is not None:
        subject.bridged.settle()

    def told() -> Measured:
        spans = [(at - BEFORE_MS, after - BEFORE_MS) for at, after in pairwise(times)]
        waits = [subject.longest(*span) for span in spans]
        return Measured(name, again, waits, subject.longest(began, times[0] - BEFORE_MS), unknown, on)

    return told


def hits_aside(live: World, names: list[str], count: int) -> list[Measured]:
    """Kills all of these at once, so often, past which messages go."""
    traffic, began, unknown = Subject(live, names[0]), now(), live.unknown()
    traffic.until_one_arrives(began + 5_000)
    calm, again = traffic.longest(began, began + 5_000), {name: list[int]() for name in names}
    for number in range(count):
        at = now()
        for name in names:
            live.fleet.kill(name)
        time.sleep(RESTART_SECONDS)

        def heard(line: str, at: int = at) -> None:
            name, _, said = line.partition(": ")
            if said.startswith("up "):
                again[name].append(now() - at)

        live.fleet.up(names, heard)
        print(f"{', '.join(names)}, {number + 1} of {count}: away for {_seconds(now() - at)}", file=sys.stderr)
        traffic.until_one_arrives(now())
    on, unknown = machine(), live.unknown() - unknown
    return [Measured(name, times, [], calm, unknown, on) for name, times in again.items()]


def run(names: list[str], kills: int) -> Iterator[Measured]:
    """In one world each: what needs the same cluster, and the upgrades."""
    worlds: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    for name in names:
        needed = VICTIMS[name].cluster if name in VICTIMS else ALONE
        worlds.setdefault(tuple(needed.items()), []).append(name)
    for cluster, together in worlds.items():
        yield from _in_one_world(together, max(1, kills // 4) if UPGRADE in together else kills, dict(cluster))


def _in_one_world(names: list[str], count: int, cluster: dict[str, Any]) -> Iterator[Measured]:
    beside = [each for name in names if name in VICTIMS for each in VICTIMS[name].beside]
    aside = [name for name in names if name in VICTIMS and not VICTIMS[name].waits]
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), beside, **cluster) as live:
        found = hits_aside(live, aside, count) if aside else []
        told = [hits(live, name, count) for name in names if name not in aside]
        live.settle()  # fails where one was lost, or went twice
        yield from found
        yield from (each() for each in told)


def table(found: list[Measured]) -> str:
    rows = []
    for one in found:
        waits = (_seconds(median(one.waits)), _seconds(max(one.waits))) if one.waits else ("-", "-")
        again = _seconds(median(one.again)), _seconds(max(one.again))
        rows.append((one.process, len(one.again), *again, *waits, _seconds(one.calm), one.unknown, one.on))
    columns = ("process", "times", "at work again after", "at most", "a message waits", "at most")
    return "\n".join(grid([*columns, "in calm", "unknown", "measured on"], rows))


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s"


def keep(found: list[Measured]) -> list[Measured]:
    """What was measured of the others before stays."""
    known = msgspec.json.decode(KEPT.read_bytes(), type=list[Measured]) if KEPT.exists() else []
    merged = {one.process: one for one in [*known, *found]}
    order = [merged[name] for name in (*VICTIMS, UPGRADE) if name in merged]
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(order), indent=1) + b"\n")
    return order


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended; what was started is stopped"))
    given = arguments(__doc__, only=(*VICTIMS, UPGRADE), kills=(20, 1))
    found: list[Measured] = []
    for one in run(given.only or [*VICTIMS, UPGRADE], given.kills):
        found.append(one)
        if given.write:  # at once: the next world may fail
            AVAILABILITY.write_text(note(AVAILABILITY.read_text(), "benchmarks.availability", table(keep([one]))))
    print(table(found))


if __name__ == "__main__":
    main()
