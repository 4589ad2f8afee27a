"""What it costs to decode an event, by what its line holds: `python -m benchmarks.decode [--quick | --write]`.

Beside it msgspec on the same line, untyped: it checks no field, and takes a key that is there twice. Processor time,
best of several rounds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import msgspec

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from kairos.engine.event import decode

START = datetime(2026, 11, 2, 12, tzinfo=UTC)
PROPS = {"amount": 129.9, "city": "Berlin", "vip": True}
ITEMS = [{"sku": f"sku-{n}", "name": f"thing {n}", "price": 9.5 + n, "count": n} for n in range(5)]
ROUNDS = 15


def line(**other: object) -> bytes:
    """An event with other fields than the usual ones."""
    event: dict[str, Any] = {
        "id": "9f0c2d3e-6c1a-4e0f-9f2e-1f2d3c4b5a69", "type": "order", "user_id": "user_0116",
        "time": 1_793_620_800_123, "source": "shop", "props": PROPS,
    }  # fmt: skip
    return json.dumps({name: value for name, value in (event | other).items() if value is not None}).encode()


def at_times(step: timedelta, precision: str) -> list[bytes]:
    """200 events with ISO times so far apart."""
    times = [(START + n * step).isoformat(timespec=precision).replace("+00:00", "Z") for n in range(200)]
    return [line(time=text) for text in times]


LINES = {
    "three flat props": [line()],
    "no source": [line(source=None)],
    "a list of three": [line(props={**PROPS, "tags": ["a", "b", "c"]})],
    "an order with five items": [line(props={"total": 129.9, "currency": "EUR", "items": ITEMS})],
    "60 props": [line(props={f"prop_{n}": n if n % 2 else f"value {n}" for n in range(60)})],
    "colons in texts": [line(props={"url": "https://shop.example/a?x=1", "at": "12:30", "title": "a: b"})],
    "colons in ids": [line(id="shop:order:4711", user_id="crm:0116")],
    "escaped texts": [line(props={"title": 'café "x"', "city": "Zürich", "said": "a\nb"})],
    "escaped texts with colons": [line(props={"title": 'café "x"', "url": "https://x.example", "city": "Zürich"})],
    "ISO time, to the second": at_times(timedelta(seconds=7), "seconds"),
    "ISO time, to the ms": at_times(timedelta(milliseconds=7_011), "milliseconds"),
    "ISO time, to the µs": at_times(timedelta(microseconds=7_011_019), "microseconds"),
}


def cost(decoder: Callable[[bytes], object], lines: list[bytes], events: int) -> float:
    """Microseconds of the processor for one event."""
    many = list(islice(cycle(lines), events))
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for each in many:
            decoder(each)
        rounds.append((time.process_time_ns() - began) / events / 1_000)
    return min(rounds)


def table(events: int) -> str:
    untyped, rows = msgspec.json.Decoder().decode, []
    for name, lines in LINES.items():
        ours, theirs = cost(decode, lines, events), cost(untyped, lines, events)
        rows.append((name, len(lines[0]), f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.1f}x"))
    return "\n".join([f"{machine()}", "", *grid(("what it holds", "bytes", "µs", "msgspec, µs", "against it"), rows)])


def main() -> None:
    given = arguments(__doc__, events=(2_000, 200))
    report("decode", given, table(given.events))


if __name__ == "__main__":
    main()
