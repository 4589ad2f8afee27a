"""crowds.yaml becomes crowds, and how those of them that are kept are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kairos.engine.crowd.spec import (
    Crowd,
    HistoryCrowd,
    Keeping,
    Limit,
    Lookalike,
    Members,
    RuleCrowd,
    Sample,
    SetCrowd,
    SqlCrowd,
)
from kairos.engine.rule.fields.crowds import CROWD
from kairos.engine.rule.fields.reading.value import Value

SET_KEYS = ("union", "intersect", "difference")
DAY = 86_400_000
SQL_FOLDER = "crowds"
"""Where the files of SQL crowds are, below the rule folder."""


def lower_crowds(value: Value, sql: Mapping[str, str]) -> tuple[dict[str, Crowd], dict[str, Keeping]]:
    """`sql`: path below the rule folder -> what stands there."""
    kept = kept_names(value)
    found = {name: _Lowering(name in kept, sql).crowd(entry) for name, entry in value.items()}
    crowds = {name: crowd for name, crowd in found.items() if crowd is not None}
    return crowds, {name: _keeping(entry) for name, entry in value.items() if name in kept and name in crowds}


def kept_names(crowds: Value) -> frozenset[str]:
    """Those that are kept: by hand, by likeness, or with `refresh`; but a set of live crowds is live itself."""
    wanted = {name for name, entry in crowds.items() if _wants_keeping(entry)}
    lists = listed_names(crowds)
    while live := {n for n in wanted if not wanted | lists >= set(part_names(crowds[n], crowds))}:
        wanted -= live
    return frozenset(wanted)


def listed_names(crowds: Value) -> frozenset[str]:
    """Those whose members stand in the file: job and warehouse both know them."""
    return frozenset(
        name for name, entry in crowds.items() if (users := entry.find("members")) and not isinstance(users.data, str)
    )


def part_names(crowd: Value, crowds: Value) -> Iterator[str]:
    """Names of the crowds that a set, a sample or a limit is made of, as far as they exist."""
    for part in parts_in(crowd):
        if not isinstance(part.data, str):
            yield from part_names(part, crowds)
        elif part.data in crowds:
            yield part.data


def parts_in(crowd: Value) -> Iterator[Value]:
    """The parts of a set, a sample or a limit as they are written: names, and crowds."""
    for key in SET_KEYS:
        if parts := crowd.find(key):
            yield from parts.each()
    if of := crowd.find("of"):
        yield of


def _wants_keeping(crowd: Value) -> bool:
    members = crowd.find("members")
    return "refresh" in crowd or "lookalike" in crowd or (members is not None and isinstance(members.data, str))


def _keeping(crowd: Value) -> Keeping:
    return Keeping(DAY if "lookalike" in crowd else crowd.plain("refresh"), crowd.plain("initial") == "emit")


class _Lowering:
    """Of one named crowd: what is written inside of a kept one is asked of the warehouse, too."""

    def __init__(self, kept: bool, sql: Mapping[str, str]) -> None:
        self._kept = kept
        self._sql = sql

    def crowd(self, value: Value) -> Crowd | None:
        kind = next((k for k in CROWD.choose if k in value), None)
        match kind:
            case "members":
                users = value["members"]
                return Members(None if isinstance(users.data, str) else tuple(users.unwrap()))
            case "where":
                return HistoryCrowd(value.plain("where")) if self._kept else RuleCrowd(value.plain("where"))
            case "sql":
                file = f"{SQL_FOLDER}/{value.plain('sql')}"
                return SqlCrowd(file, self._sql[file]) if file in self._sql else None
            case "union" | "intersect" | "difference":
                found = (self._part(part) for part in value[kind].each())
                return SetCrowd(kind, tuple(part for part in found if part is not None))
            case "sample":
                return Sample(value.plain("sample"), self._of(value))
            case "limit":
                return Limit(value.plain("limit"), self._of(value), value.plain("by"))
            case "lookalike":
                asked = value["lookalike"]
                if "seed" in asked and "size" in asked:
                    return Lookalike(asked.plain("seed"), asked.plain("size"), tuple(asked.plain("exclude")))
        return None

    def _of(self, value: Value) -> str | Crowd | None:
        of = value.find("of")
        return None if of is None else self._part(of)

    def _part(self, value: Value) -> str | Crowd | None:
        return value.data if isinstance(value.data, str) else self.crowd(value)
