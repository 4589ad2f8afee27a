"""Reads flink_tests.txt. A row that cannot be read is an error, never skipped."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kairos.engine.event import Event
from kairos.engine.pattern import AfterMatch, Pattern, Step, Times
from tests.conformance.harness import Case, Steps

TABLE = Path(__file__).parent / "flink_tests.txt"

_STEP = re.compile(r"(?P<name>\w+):(?P<where>[\w|*]+(?:&\w+\([\w,]*\))*)(?:\{(?P<times>[\d,]+)\})?(?P<flags>[.\w(),]*)")
_EVENT = re.compile(r"(?P<id>\w+)(?::(?P<x>\d+))?(?:@(?P<time>\d+))?")
_FLAG = re.compile(r"\.(\w+)(?:\((\w+)\(([\w,]*)\)\))?")
_CONTIGUITY: dict[str, dict[str, Any]] = {
    ">": {"next": "strict"},
    ">>": {"next": "relaxed"},
    ">>>": {"next": "any"},
    "!>": {"kind": "not_next"},
    "!>>": {"kind": "absent"},
}


Ids = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One Java test: `expected` are the ids of each match, in the order of the stream."""

    name: str
    case: Case
    expected: tuple[Ids, ...]

    def flat(self, matches: list[Steps]) -> Counter[Ids]:
        """Matches as the Java tests compare them: without the names of the steps."""
        taken = [{name for names in match.values() for name in names} for match in matches]
        return Counter(tuple(event.id for event in self.case.events if event.id in ids) for ids in taken)


def read_table() -> list[Row]:
    text = "\n".join(line for line in TABLE.read_text().splitlines() if not line.startswith("#"))
    return [_row(block.strip().splitlines()) for block in re.split(r"\n\n+", text.strip())]


def _row(lines: list[str]) -> Row:
    name, pattern, events, *matches = lines
    if matches == ["-"]:
        matches = []
    elif not matches or not all(line.startswith("= ") for line in matches):
        raise ValueError(f"{name}: matches are lines `= ids`, or one `-`")
    expected = tuple(tuple(line.split()[1:]) for line in matches)
    return Row(name, Case(_pattern(pattern), tuple(_events(events))), expected)


def _pattern(text: str) -> Pattern:
    steps, *options = (part.strip() for part in text.split(";"))
    within: int | None = None
    kind: Literal["first_last", "previous_current"] = "first_last"
    after_match = AfterMatch("no_skip")
    for option in options:
        word, *rest = option.split()
        if word in ("within", "gaps"):
            within, kind = int(rest[0]), "first_last" if word == "within" else "previous_current"
        else:
            after_match = AfterMatch(word, *rest)  # type: ignore[arg-type]
    words = steps.split()
    parsed = [_step(words[0], {})]
    parsed += [_step(word, _CONTIGUITY[sign]) for sign, word in zip(words[1::2], words[2::2], strict=True)]
    return Pattern(tuple(parsed), within, kind, after_match)


def _step(text: str, given: dict[str, Any]) -> Step:
    found = _STEP.fullmatch(text)
    if found is None:
        raise ValueError(f"not a step: {text}")
    flags: dict[str, Any] = {}
    for flag, operator, operands in _FLAG.findall(found["flags"]):
        if flag == "until":
            flags["until"] = json.dumps(_call(operator, operands))
        else:
            flags |= {"inside": flag} if flag in ("any", "consecutive") else {flag: True}
    settings = {"kind": "event", "times": _times(found["times"])} | flags | given
    return Step(types=("e",), name=found["name"], where=_where(found["where"]), **settings)


def _times(text: str | None) -> Times | None:
    if text is None:
        return None
    least, comma, most = text.partition(",")
    return Times(int(least), int(most) if most else None if comma else int(least))


def _where(text: str) -> str | None:
    names, *calls = text.split("&")
    parts: list[list[Any]] = [] if names == "*" else [["name", *names.split("|")]]
    parts += [_call(*call.rstrip(")").split("(")) for call in calls]
    return json.dumps(["all", *parts]) if parts else None


def _call(operator: str, operands: str) -> list[Any]:
    return [operator, *(int(operand) if operand.isdigit() else operand for operand in operands.split(","))]


def _events(text: str) -> Iterator[Event]:
    time = 0
    for number, word in enumerate(text.split()):
        found = _EVENT.fullmatch(word)
        if found is None:
            raise ValueError(f"not an event: {word}")
        time = int(found["time"]) if found["time"] else time + 1
        props = {"name": found["id"].rstrip("0123456789"), "x": int(found["x"] or 0)}
        # Equal times are ordered by source and id: the place in the stream is put first.
        yield Event(found["id"], "e", time, f"{number:03}", props)
