"""A new crowd: chosen by conditions or from other crowds, counted, looked through by lint, put into crowds.yaml."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from kairos.adapters.warehouse.port import Engine
from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import warehouse_of
from kairos.apps.console.measured import of_warehouse
from kairos.apps.console.moments import moment_of
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.apps.console.screens.crowds import crowd_places
from kairos.engine.rule.finding import Finding
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of
from kairos.usecases.control.reach import number_of_people
from kairos.usecases.crowds.compose import FUNCTIONS, OPERATORS, SETS, Condition, Wanted, added, definition
from kairos.usecases.crowds.compute import Tried, try_crowd
from kairos.usecases.errors import AskError
from kairos.usecases.results.measure import newest_event
from kairos.usecases.rules import draft
from kairos.usecases.rules.draft import Draft

FILE = "crowds.yaml"
MOST = 6
"""Conditions, or crowds."""
FIELDS = ("what", "of", "prop", "window", "operator", "value")
QUERY = ("name", "refresh", "joined", "where", "count", "as_of", "counted",
         *(f"{field}{i}" for i in range(MOST) for field in FIELDS), *(f"crowd{i}" for i in range(MOST)))  # fmt: skip


def _values(parts: ConsoleParts, call: Call) -> Values:
    query, rules = call.query, rules_of(parts.store)
    values: dict[str, Any] = {"line": "", "findings": [], "tried": None, "pending": False, "problem": "", "digest": ""}
    as_of: int | None = None
    try:
        as_of = moment_of(query["as_of"], ZoneInfo(rules.policy.timezone)) or _newest(parts)
        if query["name"]:
            values["line"] = definition(_wanted(query))
            found = draft.draft_of(parts.rules, FILE)
            values |= {"digest": found.digest, **_looked(parts, call, added(found.text, values["line"]), as_of)}
    except KairosError as error:
        values["problem"] = str(error)
    return {
        **values,
        "as_of": as_of,
        "rows": _rows(query),
        "chosen": [query[f"crowd{i}"] for i in range(_shown(query, "crowd", 2))],
        "functions": FUNCTIONS,
        "operators": OPERATORS,
        "sets": SETS,
        "types": _types(parts),
        "kept": sorted(rules.kept),
        "may_write": call.actor.may("write"),
        "zone": rules.policy.timezone,
        "command": shlex.join(["kairos", "crowds", "build", query["name"] or "NAME"]),
    }


def _wanted(query: Mapping[str, str]) -> Wanted:
    """Raises AskError."""
    conditions = [Condition(**row) for row in _rows(query) if row["of"]]
    crowds = [query[f"crowd{i}"] for i in range(MOST) if query[f"crowd{i}"]]
    count = query["count"].strip()
    if count and number_of_people(count) is None:
        raise AskError(f"{count[:100]} is no number of people")
    return Wanted(query["name"], query["refresh"] or "1d", query["joined"] or "and", query["where"], conditions, crowds,
                  number_of_people(count))  # fmt: skip


def _looked(parts: ConsoleParts, call: Call, text: str, as_of: int) -> dict[str, Any]:
    """What lint says of it, and once that is nothing, who would be in it."""
    loaded, query = draft.look_through(parts.rules, FILE, text, call.now), call.query
    own = [each for each in loaded.findings if _is_own(each, text)]
    if loaded.rules is None:
        return {"findings": own or loaded.findings[:1]}
    question = ("crowd", query["name"], as_of, _set_names(loaded.rules))
    if not query["counted"] and not parts.answers.known(warehouse_of(parts), question):
        return {"findings": own, "pending": True}
    return {"findings": own, "tried": _tried(parts, loaded.rules, query["name"], as_of, question)}


def _is_own(finding: Finding, text: str) -> bool:
    return finding.file == FILE and finding.line == text.rstrip().count("\n") + 1


def _set_names(rules: RuleSet) -> str:
    """Other crowds are part of the question, too."""
    return str(sorted(rules.crowds.items()))


def _tried(parts: ConsoleParts, rules: RuleSet, name: str, as_of: int, question: Any) -> Tried:
    places = replace(crowd_places(parts), rules=rules)
    return parts.answers.get(places.warehouse, question, lambda: try_crowd(places, name, as_of))


def _newest(parts: ConsoleParts) -> int:
    return of_warehouse(parts, "newest", newest_event)


def _types(parts: ConsoleParts) -> list[str]:
    """Of events, as the warehouse has them; without one there is nothing to choose from."""

    def ask(engine: Engine) -> list[str]:
        return [name for (name,) in engine.query("SELECT DISTINCT type FROM events ORDER BY 1").rows]

    try:
        return of_warehouse(parts, "types", ask)
    except KairosError:
        return []


def _rows(query: Mapping[str, str]) -> list[dict[str, str]]:
    """Those that say something, and an empty one more."""
    return [
        {field: query[f"{field}{i}"] or default for field, default in _DEFAULTS.items()}
        for i in range(_shown(query, "of", 1))
    ]


_DEFAULTS = {"what": "count", "of": "", "prop": "", "window": "", "operator": ">=", "value": "1"}


def _shown(query: Mapping[str, str], field: str, least: int) -> int:
    last = max((i + 1 for i in range(MOST) if query[f"{field}{i}"]), default=0)
    return min(max(last + 1, least), MOST)


def _save(parts: ConsoleParts, call: Call) -> str:
    """One crowd more in crowds.yaml, as it was when its page was made."""
    line: Sequence[str] = call.body.get("line", "").replace("\r\n", "\n").strip()
    if not line:
        raise AskError("there is no crowd to put into crowds.yaml")
    text = added(draft.draft_of(parts.rules, FILE).text, f"{line}\n")
    draft.save(parts.rules, parts.store, Draft(FILE, text, call.body.get("digest", "")), call.actor, call.now)
    return f"/write?{urlencode({'file': FILE})}"


SCREEN = Screen("/new-crowd", "new-crowd", _values, QUERY, slow=("counted",))
DEEDS = (Deed("/new-crowd", _save, "write"),)
