"""Plans, for people and programs."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from kairos.apps.view.screen import PLAIN_WIDTH, screen, table
from kairos.engine.measure.evidence import Evidence
from kairos.engine.plan.write import write
from kairos.usecases.rules.plan_upgrades import Upgrade
from kairos.usecases.rules.plans import Entry, made_by_default


def list_table(entries: Sequence[Entry]) -> str:
    rows = [(e.plan.name, e.plan.title, lift(e.plan.evidence), ", ".join(e.here), "; ".join(e.lacks)) for e in entries]
    return _table(("plan", "", "lift", "here", "lacks"), rows)


def list_json(entries: Sequence[Entry]) -> str:
    found = [
        {
            "plan": entry.plan.name, "title": entry.plan.title, "kind": entry.plan.kind, "version": entry.plan.version,
            "here": entry.here, "lacks": entry.lacks, "evidence": _plain(entry.plan.evidence),
        }
        for entry in entries
    ]  # fmt: skip
    return msgspec.json.encode(found).decode() + "\n"


def told(entry: Entry) -> str:
    """All of one plan."""
    plan = entry.plan
    parts = [f"{plan.name}: {plan.title}\n", textwrap.fill(" ".join(plan.why.split()), PLAIN_WIDTH) + "\n"]
    rows = [
        (name, one.type, one.said_range(), "(left out)" if one.optional else str(one.default.text), one.title)
        for name, one in plan.parameters.items()
    ]
    parts.append(_table(("parameter", "type", "range", "default", ""), rows).strip("\n") + "\n")
    needs = made_by_default(plan).requires
    said = [*(f"{event}({', '.join(needs.props.get(event, ()))})" for event in needs.events)]
    said += [f"profile.{field}" for field in needs.profile]
    parts += [_filled("takes    ", said), _filled("lacks    ", entry.lacks)]
    parts.append(
        f"here     {', '.join(entry.here) or 'nothing came from it'}\nevidence {_told_evidence(plan.evidence)}\n"
    )
    activity = next(iter(write(made_by_default(plan), plan.name).own.values()))
    return "\n".join([*parts, activity])


def _filled(label: str, words: Sequence[str]) -> str:
    return textwrap.fill(label + (", ".join(words) or "nothing"), PLAIN_WIDTH, subsequent_indent=" " * len(label))


def files(made: Mapping[str, str]) -> str:
    return "".join(f"# {path}\n{text}\n" for path, text in made.items())


def upgrade(one: Upgrade) -> str:
    """One line, and what would change where the plan says something else by now."""
    came = f"{one.name}: plan {one.came.plan}"
    if one.version is None:
        return f"{came} is not in the library\n"
    if one.problem:
        return f"{came}: {one.problem}\n"
    if not one.offered:
        return f"{came}, version {one.version}{', edited here' if one.lines else ''}\n"
    return f"{came}, version {one.came.version} -> {one.version}\n{one.lines}"


def lift(evidence: Evidence | None) -> str:
    return "" if evidence is None else f"{evidence.lift * 100:+.2f}"


def evidence_table(found: Mapping[str, Evidence]) -> str:
    if not found:
        return "no effect of any activity that came from a plan can be told yet\n"
    rows = [(plan, ", ".join(sorted(one.of)), _told_evidence(one)) for plan, one in found.items()]
    return _table(("plan", "shown by", "lift"), rows)


def _told_evidence(evidence: Evidence | None) -> str:
    if evidence is None:
        return "none yet: kairos plans evidence"
    low, high = evidence.interval
    day = datetime.fromtimestamp(evidence.as_of / 1000, UTC).date()
    said = f"{evidence.lift * 100:+.2f} points [{low * 100:+.2f}, {high * 100:+.2f}]"
    return f"{said} of {evidence.n:,} users, as of {day}"


def _plain(evidence: Evidence | None) -> object:
    return None if evidence is None else {**evidence._asdict(), "of": {k: v._asdict() for k, v in evidence.of.items()}}


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A column in which nothing stands is left out."""
    used = [place for place in range(len(names)) if any(row[place] for row in rows)]
    shown = table(*(names[place] for place in used))
    for row in rows:
        shown.add_row(*(row[place] for place in used))
    stream = io.StringIO()
    screen(stream).print(shown)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"
