"""Real purchases: 18 months of a shop for music, from the customers' first on.

The package `lifetimes` (MIT) ships `CDNOW_master.txt`: 69,659 purchases of the 23,570 customers who first bought in the
first quarter of 1997, until June 1998 (Fader and Hardie, brucehardie.com). Only that file is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kairos.adapters.files.package_file import PackageFile, fetched, replace

CDNOW = PackageFile(
    package="lifetimes==0.11.3",
    wheel_sha256="261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8",
    member="lifetimes/datasets/CDNOW_master.txt",
    sha256="eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
)
SOURCE = "shop"


class Purchases(NamedTuple):
    """What lies in the data folder, and how much of it."""

    events: Path
    event_count: int
    user_count: int


def prepare(folder: Path, wheel: Path | None = None) -> Purchases:
    """Leaves `cdnow.jsonl` in the folder; fetches the file only where it is not there yet. Raises DatasetError."""
    folder.mkdir(parents=True, exist_ok=True)
    text = fetched(CDNOW, folder / "CDNOW_master.txt", wheel).read_text(encoding="ascii")
    events = to_events(text.splitlines())
    path = folder / "cdnow.jsonl"
    replace(path, b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    return Purchases(path, len(events), len({event["user_id"] for event in events}))


def to_events(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Lines `customer date CDs dollars` -> envelopes by (time, source, id); an id is the number of its line.

    The file has dates only. Times of day are made up: customer n buys at 09:00 + (n % 12) h + (7 n % 60) min UTC, and
    a further purchase of that day is 0.4 s later.
    """
    before: Counter[tuple[str, str]] = Counter()
    events = []
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if len(fields) != 4 or not fields[0].isdigit():
            continue  # the heading
        customer, day, discs, dollars = fields
        events.append(_event(number, int(customer), day, before[customer, day], int(discs), float(dollars)))
        before[customer, day] += 1
    return sorted(events, key=lambda event: (event["time"], event["source"], event["id"]))


def _event(number: int, customer: int, day: str, nth: int, discs: int, dollars: float) -> dict[str, Any]:
    morning = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC, hour=9)
    start = morning + timedelta(hours=customer % 12, minutes=7 * customer % 60, milliseconds=400 * nth)
    return {
        "id": f"p{number:06d}",
        "type": "purchase",
        "user_id": f"c{customer:05d}",
        "time": int(start.timestamp() * 1000),
        "source": SOURCE,
        "props": {"cds": discs, "amount": dollars},
    }
