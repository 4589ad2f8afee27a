"""The plan library: a folder of plans, `<plan>.yaml` each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kairos.engine.plan.plan import Library, read_library


def open_library(folder: Path, only: str | None = None) -> Library:
    """`only`: the name of the one plan that is wanted. Raises OSError."""
    names = names_in(folder) if only is None else [only]
    return _library(tuple((f"{name}.yaml", plan_file(folder, name).read_bytes()) for name in names))


@lru_cache(maxsize=64)
def _library(files: tuple[tuple[str, bytes], ...]) -> Library:
    """The same files are the same plans, which take a tenth of a second to read. Nobody changes them."""
    return read_library(dict(files))


def names_in(folder: Path) -> list[str]:
    """Raises OSError."""
    return sorted(file.stem for file in folder.iterdir() if file.suffix == ".yaml")


def plan_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.yaml"
