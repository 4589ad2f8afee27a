"""The clickstream that Kairos is tried on: taken out of a public package, and turned into the envelope.

The package `retentioneering` (Apache-2.0) ships `ecom.csv.gz`: 31,106 events of 600 users of a web shop from January to
June 2024, made by a generator of its authors with a few stories built in. Only that file is taken; nothing of the
package is installed. Every download is checked against its pinned hash, and kept, so that the network is needed once.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.files.package_file import DatasetError, PackageFile, fetched, replace
from kairos.usecases.operation.dataset.made_up_profiles import made_up_profile

__all__ = ["ECOM", "Dataset", "DatasetError", "prepare"]

ECOM = PackageFile(
    package="retentioneering==5.2.4",
    wheel_sha256="f4ab91b67c6deed93728bfb6e503adfe304f101a53e9112ee0219b304b0f3b1a",
    member="retentioneering/datasets/ecom.csv.gz",
    sha256="110716838facbec8143c6c9af74500eb0252197da212fd75aa4c47bf3b692090",
)
SOURCE = "web"

_COLUMNS = {
    "session_id": "session_id",
    "platform": "platform",
    "acquisition_channel": "acquisition",
    "user_lifecycle": "lifecycle",
}
"""Column of the file -> prop of the event."""


class Dataset(msgspec.Struct, frozen=True):
    """What lies in the data folder, and how much of it."""

    events: Path
    profiles: Path
    event_count: int
    user_count: int


def prepare(folder: Path, wheel: Path | None = None) -> Dataset:
    """Leaves `ecom.jsonl` and `profiles.json` in the folder; fetches the file only where it is not there yet.

    `wheel` is a copy of the package got by other means. Raises DatasetError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(_rows(fetched(ECOM, folder / "ecom.csv.gz", wheel)))
    events = to_events(rows)
    profiles = to_profiles(rows)
    events_file, profiles_file = folder / "ecom.jsonl", folder / "profiles.json"
    replace(events_file, b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    replace(profiles_file, msgspec.json.format(msgspec.json.encode(profiles), indent=1))
    return Dataset(events_file, profiles_file, len(events), len(profiles))


def to_events(rows: Iterable[dict[str, str]]) -> list[dict[str, Any]]:
    """Rows of the CSV file -> envelopes by (time, source, id). The file names no zone: its times are read as UTC.

    An id is the number of its row, so the file's own order stays where several rows have the same second.
    """
    events = [
        {
            "id": f"w{number:06d}",
            "type": row["event"],
            "user_id": row["user_id"],
            "time": int(datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()) * 1000,
            "source": SOURCE,
            "props": {prop: row[column] for column, prop in _COLUMNS.items()},
        }
        for number, row in enumerate(rows, start=1)
    ]
    return sorted(events, key=lambda event: (event["time"], event["source"], event["id"]))


def to_profiles(rows: Iterable[dict[str, str]]) -> dict[str, dict[str, Any]]:
    """User id -> profile: the month that the file gives, and contact data by `made_up_profiles.py`."""
    cohorts = {row["user_id"]: row["user_cohort"] for row in rows}
    return {user: {"cohort": cohort} | made_up_profile(user) for user, cohort in sorted(cohorts.items())}


def _rows(packed: Path) -> Iterator[dict[str, str]]:
    with gzip.open(packed, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
