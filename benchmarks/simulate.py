"""How fast `kairos simulate` plays a file:
`python -m benchmarks.simulate [--events N] [--users N] [--quick | --write]`.

Each case runs the real command in a process of its own, on the same file. The floor, in the same run: read the lines,
decode each into an envelope, sort by time, write nothing. Figures are event rates of the whole command, start-up
included, and the peak of its resident memory.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine

START = 1_763_778_000_000
TYPES = tuple(f"t{number:02d}" for number in range(33))
FLOOR = """
import sys, msgspec
class Envelope(msgspec.Struct):
    id: str; type: str; user_id: str; time: int; source: str; props: dict
decode = msgspec.json.Decoder(Envelope).decode
with open(sys.argv[1], "rb", buffering=1 << 20) as lines:
    events = [decode(line) for line in lines]
events.sort(key=lambda event: event.time)
"""


@dataclass(frozen=True)
class Measurement:
    """Seconds of wall clock and processor, peak of resident memory in MB."""

    wall: float
    cpu: float
    memory: int


def write_events(path: Path, count: int, users: int) -> None:
    """One event every 10 ms on average, of 33 types, users at random."""
    chance, now = random.Random(7), START
    with path.open("w") as stream:
        for number in range(count):
            now += chance.randrange(20)
            props = {"order_id": f"o{chance.randrange(count)}", "amount": chance.randrange(300)}
            event = {"id": f"e{number}", "type": chance.choice(TYPES), "user_id": f"u{chance.randrange(users)}"}
            stream.write(json.dumps({**event, "time": now, "source": "shop", "props": props}) + "\n")


def write_rules(folder: Path, rules: list[str]) -> Path:
    for number, trigger in enumerate(rules):
        path = folder / "activities" / "bench" / f"rule_{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"activity: rule_{number}\nstate: live\ntrigger: {trigger}\n")
    return folder


def one_rule(folder: Path) -> Path:
    """Of interest to every event."""
    return write_rules(folder, [f"{{event: [{', '.join(TYPES)}], where: amount >= 290}}"])


def hundred_rules(folder: Path) -> Path:
    """99 sequences and absences and one more, so that an event of any of the 33 types touches three."""
    kinds = (
        "{{pattern: [{{event: {0}, where: amount >= 290}}, {{event: {0}, as: second}}], within: 10m}}",
        "{{pattern: [{{event: {0}, where: amount < 10}}, {{absent: {0}, as: again}}], within: 10m}}",
        "{{event: {0}, where: amount == 7}}",
    )
    return write_rules(folder, [kind.format(name) for name in TYPES for kind in kinds] + ["{event: nothing}"])


def measure(command: list[str], ends: Collection[int] = (0,)) -> Measurement:
    """`ends`: the exit codes of a command that did its work."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if (code := os.waitstatus_to_exitcode(status)) not in ends:
        sys.exit(f"{' '.join(command)} ended with {code}:\n{said.decode()}")
    return Measurement(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)


def run(count: int, users: int) -> list[tuple[str, Measurement]]:
    kairos = str(Path(sys.executable).with_name("kairos"))
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        events = work / "events.jsonl"
        write_events(events, count, users)
        cases = {
            "the floor: decode and sort": [sys.executable, "-c", FLOOR, str(events)],
            "one simple rule": [kairos, "simulate", str(one_rule(work / "one")), str(events)],
            "100 rules, an event touches 3": [kairos, "simulate", str(hundred_rules(work / "hundred")), str(events)],
        }
        return [(name, measure(command)) for name, command in cases.items()]


def table(count: int, users: int, measured: list[tuple[str, Measurement]]) -> str:
    floor = measured[0][1]
    rows = [
        (name, f"{count / m.wall:,.0f}", f"{count / m.cpu:,.0f}", f"{floor.cpu / m.cpu:.2f}", f"{m.memory} MB")
        for name, m in measured
    ]
    columns = ("`kairos simulate`", "events/s", "events/s of one core", "of the floor", "memory")
    return "\n".join([f"{count:,} events of {users:,} users; {machine()}:", "", *grid(columns, rows)])


def main() -> None:
    given = arguments(__doc__, events=(1_000_000, 20_000), users=(100_000, 2_000))
    report("simulate", given, table(given.events, given.users, run(given.events, given.users)))


if __name__ == "__main__":
    main()
