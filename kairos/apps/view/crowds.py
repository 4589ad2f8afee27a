"""Crowds as text: JSON for programs, tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from kairos.adapters.warehouse.crowd_files import Build
from kairos.apps.view.measures import INDENT, table_lines
from kairos.apps.view.screen import table_width
from kairos.apps.view.terminal import escape, fitted
from kairos.engine.crowd.guard import LIVE, MOST_GROWTH, MOST_REMOVED
from kairos.engine.rule.text.scalars import spell_duration
from kairos.usecases.crowds.look import NEVER_BUILT, Portrait, Standing

DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000


def when(ms: int | None) -> str | None:
    """As `2026-11-02T12:00:00.000Z`."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def build_row(build: Build, live: int | None) -> dict[str, Any]:
    """`live`: the number that everybody sees, where this one was refused."""
    return {
        "crowd": build.crowd,
        "n": build.n if build.n is not None else live,
        "as_of": when(build.as_of_ms),
        "size": build.size,
        "added": build.added,
        "removed": build.removed,
        "status": build.status,
    }


WHY = {
    "rejected: stale": "the newest event of the warehouse is older than twice its `refresh`: load what has come since, "
    "or name an earlier time (--as-of)",
    "rejected: empty": "nobody would be in it: --allow-empty lets it pass, once",
    "rejected: removed": f"more than {MOST_REMOVED:.0%} would leave: --accept-change lets it pass, once",
    "rejected: size": f"it would grow or shrink by more than {MOST_GROWTH:.0%}: --accept-change lets it pass, once",
}
"""Status of a build that was refused -> what it means, and what to do."""


def standing_row(standing: Standing) -> dict[str, Any]:
    live = standing.live
    return {
        "crowd": standing.crowd,
        "kind": standing.kind,
        "n": live.n if live else None,
        "as_of": when(live.as_of_ms) if live else None,
        "size": live.size if live else None,
        "added": live.added if live else None,
        "removed": live.removed if live else None,
        "age_ms": standing.age,
        "next": when(standing.next),
        "status": standing.status,
    }


def as_json(rows: Iterable[dict[str, Any]]) -> str:
    """A list of objects, one a line."""
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]
    return "[" + ",\n ".join(lines) + "]\n"


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    lines = table_lines(list(rows), table_width() + len(INDENT))
    return "".join(f"{line.removeprefix(INDENT)}\n" for line in lines)


def standings_table(standings: Sequence[Standing]) -> str:
    """For people: times to the minute and ages in words, so that it fits a terminal of 80 columns."""
    return as_table([_standing(each) for each in standings])


def _standing(standing: Standing) -> dict[str, Any]:
    live = standing.live
    return {
        "crowd": standing.crowd,
        "n": live.n if live else None,
        "size": live.size if live else None,
        "as_of (UTC)": _minute(live.as_of_ms) if live else None,
        "age": None if standing.age is None else _in_words(max(0, standing.age)),
        "next (UTC)": _minute(standing.next),
        "status": standing.status,
    }


def _minute(ms: int | None) -> str | None:
    return None if ms is None else f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _in_words(ms: int) -> str:
    """Whole days, hours or minutes: the largest of which there is one."""
    unit = next((unit for unit in (DAY, HOUR) if ms >= unit), MINUTE)
    return spell_duration(ms // unit * unit)


def as_metrics(standings: Sequence[Standing]) -> str:
    """In Prometheus' text format."""
    lines = []
    for name, about, value in (
        ("age_seconds", "Since what the live snapshot knows.", lambda s: None if s.age is None else s.age / 1000),
        ("members", "Of the live snapshot.", lambda s: s.live and s.live.size),
        ("snapshot", "The number that everybody sees.", lambda s: s.live and s.live.n),
        ("refused", "1: the last build was refused, or failed.", lambda s: int(s.status not in (LIVE, NEVER_BUILT))),
    ):
        lines += [f"# HELP kairos_crowd_{name} {about}", f"# TYPE kairos_crowd_{name} gauge"]
        known = ((standing.crowd, value(standing)) for standing in standings)
        lines += [f'kairos_crowd_{name}{{crowd="{crowd}"}} {found}' for crowd, found in known if found is not None]
    return "\n".join(lines) + "\n"


def portrait_row(portrait: Portrait) -> dict[str, Any]:
    live = portrait.standing.live.n if portrait.standing.live else None
    return {
        **standing_row(portrait.standing),
        "growth": [build_row(build, live) for build in portrait.growth],
        "overlap": portrait.overlap,
        "fields": {name: [[value, count] for value, count in found] for name, found in portrait.fields.items()},
        "members": portrait.members,
    }


def portrait_text(portrait: Portrait) -> str:
    standing, live = portrait.standing, portrait.standing.live
    size = f"{live.size:,} members, snapshot {live.n} as of {when(live.as_of_ms)}" if live else "no snapshot yet"
    parts = [fitted(f"{standing.crowd} ({standing.kind}): {size}; {standing.status}", 2)]
    if portrait.growth:
        parts += ["", "growth", as_table([_growth(build) for build in portrait.growth]).rstrip()]
    if portrait.overlap and live and live.size:
        shares = [
            {"crowd": name, "in both": both, "of this one": f"{both / live.size:.1%}"}
            for name, both in portrait.overlap.items()
        ]
        parts += ["", "overlap", as_table(shares).rstrip()]
    for name, found in portrait.fields.items():
        values = ", ".join(f"{'nothing' if value is None else escape(str(value))} {count:,}" for value, count in found)
        parts += [fitted(f"{name}: {values}", 2)]
    if portrait.members:
        parts += ["", fitted(f"members: {', '.join(map(escape, portrait.members))}", 2)]
    return "\n".join(parts) + "\n"


def _growth(build: Build) -> dict[str, Any]:
    row = build_row(build, None)
    return {key: row[key] for key in ("as_of", "n", "size", "added", "removed", "status")}


def matrix_table(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    rows = [{"": name, **dict(zip(names, line, strict=True))} for name, line in zip(names, matrix, strict=True)]
    return as_table(rows)
