"""The output folder of a run on files: JSON lines for each topic, `decisions`, `deliveries.<channel>`, `dead-letters`.

A topic is one file `<topic>.jsonl`, or the part files of Flink's sink in `parts/topic=<topic>/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

DECISIONS = "decisions"
DELIVERIES = "deliveries."
DEAD_LETTERS = "dead-letters"

_T = TypeVar("_T")


class RunFolderError(Exception):
    """The folder cannot be read as the output of a run; the message names the place."""


def topics_in(folder: Path) -> dict[str, Path]:
    """Topic -> its file or folder. What lies in the folder itself goes before what Flink wrote under `parts`.

    Raises RunFolderError where there are no decisions.
    """
    entries = [path for place in (folder / "parts", folder) if place.is_dir() for path in sorted(place.iterdir())]
    named = {path.name.removeprefix("topic=").removesuffix(".jsonl"): path for path in entries}
    if DECISIONS not in named:
        raise RunFolderError(f"{folder}: no {DECISIONS} here; the output folder of a run is expected")
    wanted = (name for name in named if name in (DECISIONS, DEAD_LETTERS) or name.startswith(DELIVERIES))
    return {name: named[name] for name in sorted(wanted)}


def lines_of(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    """File, line number from 1, line. What Flink has not finished writing begins with a dot and is left out."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file() and not file.name.startswith((".", "_")):
            with file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if line.strip():
                        yield file, number, line


def decoded(path: Path, shape: type[_T]) -> Iterator[tuple[str, _T]]:
    """FILE:LINE and record. Raises RunFolderError at the first line that is none."""
    decode = msgspec.json.Decoder(shape).decode
    for file, number, line in lines_of(path):
        try:
            yield f"{file}:{number}", decode(line)
        except ValueError as error:  # of msgspec, and of broken UTF-8
            raise RunFolderError(f"{file}:{number}: not a record of this topic: {error}") from None
