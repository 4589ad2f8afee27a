"""One measure at a time: retention, funnels, lift, attribution, money; by what, as of when, with its rows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import loaded, warehouse_of
from kairos.apps.console.measured import lifts_of, of_measures, of_warehouse
from kairos.apps.console.moments import moment_of
from kairos.apps.console.screen import ConsoleParts, Screen, Values
from kairos.apps.page.page import drawn
from kairos.apps.view.measures import cell
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of
from kairos.usecases.results.measurable import Measurable, measurable
from kairos.usecases.results.measure import Answer, Wanted, measure

TIMES = ("as_of", "from", "to")
MOST_ROWS = 500
NOTHING = Measurable({}, {})


def _values(parts: ConsoleParts, call: Call) -> Values:
    rules, query = rules_of(parts.store), call.query
    offered, sections, answer, problem = NOTHING, None, None, ""
    name, by = query["name"], query["by"] or None
    try:
        offered = offered_of(parts, rules)
        name = name or next(iter(offered.names), "")
        if not name:
            sections = []
        else:
            zone = ZoneInfo(rules.policy.timezone)
            as_of, start, end = (moment_of(query[each], zone) for each in TIMES)
            wanted = Wanted((name,), as_of, start, end, by)
            if query["asked"] or parts.answers.known(warehouse_of(parts), of_measures(parts, rules, wanted)):
                answer = _answer(parts, rules, wanted)
                sections = [_drawn(parts, rules, answer)]
    except KairosError as error:
        sections, problem = [], str(error)
    kind = offered.kind_of(name)
    return {
        "offered": offered,
        "chosen": name,
        "kind": kind,
        "told_by": offered.told_by.get(kind, []),
        "sections": sections,
        "table": _table(answer.rows) if answer is not None else None,
        "as_of": answer.as_of if answer is not None else None,
        "problem": problem,
        "zone": rules.policy.timezone,
        "command": _command(name, query),
    }


def offered_of(parts: ConsoleParts, rules: RuleSet) -> Measurable:
    """Raises NotThereError and WarehouseError."""
    measures = loaded(parts).measures
    question = of_measures(parts, rules, "offered")
    return of_warehouse(parts, question, lambda engine: measurable(engine, rules, measures))


def _answer(parts: ConsoleParts, rules: RuleSet, wanted: Wanted) -> Answer:
    warehouse, measures = warehouse_of(parts), loaded(parts).measures

    def ask() -> Answer:
        return measure(warehouse, rules, measures, wanted)[0]

    return parts.answers.get(warehouse, of_measures(parts, rules, wanted), ask)


def _drawn(parts: ConsoleParts, rules: RuleSet, answer: Answer) -> Mapping[str, Any]:
    """What is attributed stands beside what the control group says."""
    return drawn(answer.section(), lifts_of(parts, rules) if answer.kind == "attribution" else {})


def _table(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Each row as it is, as `--format csv` has it."""
    fields = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[cell(row.get(name)) for name in fields] for row in rows[:MOST_ROWS]]
    return {"fields": fields, "rows": cells, "cut": len(rows) > MOST_ROWS}


def _command(name: str, query: Mapping[str, str]) -> str:
    options = {"--by": query["by"], "--as-of": query["as_of"], "--from": query["from"], "--to": query["to"]}
    given = [word for option, value in options.items() if value for word in (option, value)]
    return shlex.join(["kairos", "measure", *([name] if name else []), *given])


SCREEN = Screen("/measure", "measure", _values, ("name", "by", *TIMES, "asked"), menu=True, slow=("asked",))
