"""The output folder of a run on files: JSON lines for each topic, `decisions`, `deliveries.<channel>`, `dead-letters`.

A topic is one file `<topic>.jsonl`, or the part files of Flink's sink in `parts/topic=<topic>/`. `run.json` says which
configuration it was made with, so that whoever reads it later asks the same rules and profiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from kairos.adapters.decoding import Unreadable, UnreadableError, decoder
from kairos.engine.topics import DEAD_LETTERS, DECISIONS, DELIVERIES
from kairos.errors import KairosError

_T = TypeVar("_T")


ORIGIN = "run.json"


class Origin(msgspec.Struct, frozen=True):
    """`conf`: the configuration's path. `overrides`: section.key=value. `cwd`: where relative paths of both begin."""

    conf: str
    overrides: list[str]
    cwd: str


class RunFolderError(KairosError):
    """The folder cannot be read as the output of a run; the message names the place."""


def write_origin(folder: Path, origin: Origin) -> None:
    """Raises OSError."""
    (folder / ORIGIN).write_bytes(msgspec.json.encode(origin))


def read_origin(folder: Path) -> Origin | None:
    """None: the folder says nothing of it. Raises RunFolderError."""
    try:
        return decoder(Origin)((folder / ORIGIN).read_bytes())
    except OSError:
        return None
    except UnreadableError as error:
        raise RunFolderError(f"{folder / ORIGIN}: {error}") from None


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


def files_of(path: Path) -> list[Path]:
    """Of a topic. What Flink has not finished writing begins with a dot and is left out."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if file.is_file() and not file.name.startswith((".", "_"))]


def lines_of(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    """File, line number from 1, line."""
    for file in files_of(path):
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield file, number, line


def decoded(topic: str, path: Path, shape: type[_T], unreadable: Unreadable) -> Iterator[tuple[str, _T]]:
    """FILE:LINE and record. Lines that are no record of this topic are passed over, and told to `unreadable`."""
    decode = decoder(shape)
    for file, number, line in lines_of(path):
        try:
            record = decode(line)
        except UnreadableError as error:
            unreadable.add(topic, f"{file}:{number}", error)
        else:
            yield f"{file}:{number}", record
