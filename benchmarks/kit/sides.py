"""Sides of a comparison that are each a process and tell one JSON line of themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]


class Said(msgspec.Struct, frozen=True):
    """`seconds` of the wall and `processor` for so much that was `done`; `results` and `digest` of the whole."""

    done: int
    seconds: float
    processor: float
    results: int
    digest: int

    @property
    def rate(self) -> float:
        """A second of one core."""
        return self.done / self.processor


def medians(commands: dict[str, list[str]], rounds: int) -> dict[str, Said]:
    """The sides in turn, several times; of each the run of the median rate. Ends the program where one fails."""
    said: dict[str, list[Said]] = {side: [] for side in commands}
    for _ in range(rounds):
        for side, command in commands.items():
            said[side].append(_run(command))
    return {side: sorted(runs, key=lambda run: run.rate)[len(runs) // 2] for side, runs in said.items()}


def agree(sides: Iterable[Said]) -> None:
    """A rate counts for nothing where the results are not the same: ends the program."""
    found = {(said.results, said.digest) for said in sides}
    if len(found) != 1:
        sys.exit(f"the sides do not find the same (how many, checksum): {sorted(found)}")


def _run(command: list[str]) -> Said:
    done = subprocess.run(command, capture_output=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.decode()}")
    return msgspec.json.decode(done.stdout, type=Said)
