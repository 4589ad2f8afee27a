"""The files that a plan becomes: its activity or journey, the examples beside it, texts, and what goes into others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kairos.engine.measure.evidence import Evidence, Shown
from kairos.engine.plan.blocks import block_of, entries_of, with_entry
from kairos.engine.plan.examples import examples
from kairos.engine.plan.parameter import Values
from kairos.engine.plan.plan import Made, entry_of
from kairos.engine.rule.model import Source
from kairos.engine.rule.text.nodes import Node, read_yaml
from kairos.engine.rule.text.scalars import parse_percent

SHARED = {"metrics": "metrics.yaml", "crowds": "crowds.yaml", "catalogs": "catalogs.yaml"}
"""Part of a plan -> the file of the rule folder that has the same of all activities."""
_FOLDERS = {"activity": "activities", "journey": "journeys"}
NO_SOURCES: Mapping[str, Source] = {}
MOST_COLUMNS = 120
DIGITS = 5
"""Of a lift."""


@dataclass(frozen=True)
class Written:
    """`own`: path in the rule folder -> content, of the files that are this activity's alone. `texts`: path -> content
    of its templates. `shared`: path -> name -> the entry that belongs there."""

    own: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    shared: dict[str, dict[str, str]] = field(default_factory=dict)


def write(
    made: Made,
    name: str,
    theme: str | None = None,
    sources: Mapping[str, Source] = NO_SOURCES,
    competes: str = "",
) -> Written:
    """`theme`: the folder of its file; None: the plan's. `sources`: what an event cannot do without there. `competes`:
    the lines by which it does in a group.
    """
    kind = made.plan.kind
    beside = f"{_FOLDERS[kind]}/{theme or made.plan.theme}/{name}"
    tests = examples(_part(made, "tests"), name, _control(made), sources)
    return Written(
        {f"{beside}.yaml": _head(made, name) + competes + _part(made, kind), f"{beside}.test.yaml": tests},
        {f"templates/{key}.liquid": text for key, text in _templates(made)},
        {path: dict(entries_of(_part(made, part))) for part, path in SHARED.items() if entry_of(made.root, part)},
    )


def _head(made: Made, name: str) -> str:
    plan = made.plan
    put_in = f"{{{', '.join(f'{key}: {_noted(key, made.values)}' for key in plan.parameters)}}}"
    if len(put_in) > MOST_COLUMNS - len("  parameters: "):
        put_in = "".join(f"\n    {key}: {_noted(key, made.values)}" for key in plan.parameters)
    parameters = f"  parameters: {put_in}\n" if plan.parameters and put_in[0] == "{" else f"  parameters:{put_in}\n"
    came = f'from:\n  plan: {plan.name}\n  version: "{plan.version}"\n'
    return f"{plan.kind}: {name}\n{came}{parameters if plan.parameters else ''}"


def _noted(name: str, values: Values) -> str:
    return "null" if values[name].text is None else values[name].yaml()


def _part(made: Made, name: str) -> str:
    entry = entry_of(made.root, name)
    assert entry is not None, name
    return block_of(made.text, *entry)


def _control(made: Made) -> float:
    """The share of its control group; of a crowd that is one, 0."""
    body = entry_of(made.root, made.plan.kind)
    audience = entry_of(body[1], "audience") if body else None
    control = entry_of(audience[1], "control_group") if audience else None
    return (parse_percent(control[1].text) or 0.0) if control else 0.0


def _templates(made: Made) -> list[tuple[str, str]]:
    entry = entry_of(made.root, "templates")
    return [(key.text, value.text.rstrip("\n") + "\n") for key, value in entry[1].entries] if entry else []


def merged(before: str, entries: Mapping[str, str]) -> tuple[str, list[str]]:
    """A file of the folder with these entries too, and the names of those that stand there with another meaning, and
    are left as they are. Nothing else of the file changes."""
    there = _meanings(before)
    text, other = before, []
    for name, entry in entries.items():
        if name not in there:
            text = with_entry(text, name, entry)
        elif there[name] != _meanings(entry)[name]:
            other.append(name)
    return text, other


def _meanings(text: str) -> dict[str, str]:
    root = read_yaml(text)
    return {key.text: _meaning(value) for key, value in root.entries} if root is not None else {}


def _meaning(node: Node) -> str:
    if node.kind == "list":
        return f"[{', '.join(map(_meaning, node.items))}]"
    if node.kind == "mapping":
        return f"{{{', '.join(sorted(f'{key.text}: {_meaning(value)}' for key, value in node.entries))}}}"
    return json.dumps(node.value, default=str)


def kept(before: str, after: str) -> str:
    """`after`, with those entries of `before` that it has nothing of: a state, an owner, dates, priority."""
    found = dict(entries_of(after))
    own = "".join(entry for name, entry in entries_of(before) if name not in found)
    if not own:
        return after
    entries = list(entries_of(after))
    heads = [entry for name, entry in entries if name in ("activity", "journey", "from")]
    rest = [entry for name, entry in entries if name not in ("activity", "journey", "from")]
    return "".join([*heads, own, *rest])


def with_evidence(made_of: str, evidence: Evidence) -> str:
    """A plan's file with this as its evidence; everything else stays."""
    of = "".join(f"    {name}: {{{_shown(shown)}}}\n" for name, shown in sorted(evidence.of.items()))
    low, high = evidence.interval
    as_of = datetime.fromtimestamp(evidence.as_of / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = (
        "evidence:                      # written by `kairos plans evidence`, never by hand\n"
        f"  lift: {evidence.lift:.{DIGITS}f}\n  interval: [{low:.{DIGITS}f}, {high:.{DIGITS}f}]\n  n: {evidence.n}\n"
        f"  rate: {evidence.rate:.{DIGITS}f}\n  as_of: {as_of}\n  of:\n{of}"
    )
    return with_entry(made_of, "evidence", entry)


def _shown(shown: Shown) -> str:
    said = f"lift: {shown.lift:.{DIGITS}f}, n: {shown.n}"
    if shown.interval is None:
        return said
    low, high = shown.interval
    return f"{said}, interval: [{low:.{DIGITS}f}, {high:.{DIGITS}f}]"
