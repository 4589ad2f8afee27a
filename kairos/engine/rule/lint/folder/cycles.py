"""Crowds that are defined by themselves, or through too many others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.text.report import Report

SHOWN = 6  # names of a cycle in a message
MAX_DEPTH = 50


def check_cycles(crowds: Value, mentions: Mapping[str, set[str]], report: Report) -> None:
    """`mentions`: crowd -> crowds that its definition asks. Each crowd on a cycle is told the way round."""
    for name, way in ways_round(crowds.data, mentions).items():
        message = f"crowd '{name}' is defined by itself, a cycle: {said(way)}"
        report.error(crowds.keys[name], "crowd-cycle", message, "break the cycle: a crowd asks only others")


def ways_round(names: Iterable[str], mentions: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Of those of `names` that are on a cycle: the way from each back to itself, both ends included."""
    suspects = _endless(mentions)
    ways: dict[str, list[str]] = {}
    for name in names:
        if name in suspects and name not in ways and (way := _way_back(name, suspects)):
            ways |= {other: [*way[i:-1], *way[: i + 1]] for i, other in enumerate(way[:-1]) if other not in ways}
    return ways


def said(way: list[str]) -> str:
    return " -> ".join(way if len(way) <= SHOWN else [*way[: SHOWN - 2], "...", way[-1]])


def check_depth(crowds: Value, mentions: Mapping[str, set[str]], report: Report) -> None:
    """One that asks one that asks one ...: the question is passed on so many times. Cycles are told elsewhere."""
    levels: dict[str, int] = {}
    endless = _endless(mentions, levels)
    for name, level in levels.items():
        if level == MAX_DEPTH + 1 and name in crowds.keys and name not in endless:
            message = f"crowd '{name}' asks others more than {MAX_DEPTH} levels deep"
            report.error(crowds.keys[name], "crowd-depth", message, "ask fewer, larger crowds")


def _endless(mentions: Mapping[str, set[str]], levels: dict[str, int] | None = None) -> dict[str, set[str]]:
    """What is left once crowds that ask nobody are taken away, again and again: those on a cycle, or before one.

    `levels` takes how many steps it is from each of the others to its farthest end.
    """
    asked_by: dict[str, list[str]] = {}
    for name, asked in mentions.items():
        for other in asked:
            asked_by.setdefault(other, []).append(name)
    left = {name: {other for other in asked if other in mentions} for name, asked in mentions.items()}
    ready = deque(name for name, asked in left.items() if not asked)
    while ready:
        done = ready.popleft()
        del left[done]
        if levels is not None:
            levels[done] = 1 + max((levels.get(other, 0) for other in mentions[done]), default=0)
        for name in asked_by.get(done, ()):
            left[name].discard(done)
            if not left[name]:
                ready.append(name)
    return left


def _way_back(start: str, mentions: Mapping[str, set[str]]) -> list[str] | None:
    """The shortest way from a crowd to itself, breadth first."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        at = waiting.popleft()
        for name in sorted(mentions.get(at, ())):
            if name == start:
                return _way(start, at, came_from)
            if name not in came_from:
                came_from[name] = at
                waiting.append(name)
    return None


def _way(start: str, last: str, came_from: Mapping[str, str]) -> list[str]:
    way = [start, last]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
