"""What must hold whatever comes in: no process ended, restarted, or beyond its memory, and every good one done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psutil

MB = 1_000_000


@dataclass(frozen=True)
class Seen:
    """`memory`: bytes of each process with its children, None: it has ended. `waiting`: good users who got no message.

    `stuck`: partitions that a worker does not commit. `refused`: what is answered with "later" each time.
    """

    memory: Mapping[str, int | None]
    restarts: int
    waiting: frozenset[str] = frozenset()
    stuck: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


def complaints(seen: Seen) -> list[str]:
    """Empty where all is well."""
    found = [f"{name} has ended" for name, used in seen.memory.items() if used is None]
    found += [
        f"{name} holds {used // MB} MB of {seen.limits[name] // MB}"
        for name, used in seen.memory.items()
        if used is not None and used > seen.limits[name]
    ]
    if seen.restarts:
        found.append(f"the job was restarted {seen.restarts} times")
    if seen.waiting:
        found.append(f"stalled: {len(seen.waiting)} good users have no message, {sorted(seen.waiting)[:5]}")
    found += [f"{place} is not committed to its end" for place in seen.stuck]
    return found + [f"refused for ever: {what}" for what in seen.refused]


def memory_of(pid: int) -> int | None:
    """With all children; None where the process is gone."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return sum(_resident(one) for one in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return None


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def lasting(refusals: Iterable[tuple[str, list[int]]]) -> tuple[str, ...]:
    """Requests to which every answer was "later" (503, 429): sent again they are refused again."""
    return tuple(name for name, answers in refusals if answers and all(answer in (429, 503) for answer in answers))
