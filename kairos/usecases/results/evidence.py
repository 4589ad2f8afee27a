"""`kairos plans evidence`: what the activities that came from each plan brought, by the warehouse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from kairos.adapters.rules.plans import plan_file
from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.engine.measure.evidence import Evidence
from kairos.engine.measure.spec import Measures
from kairos.engine.measure.statistics.pooled import evidence_of
from kairos.engine.plan.plan import Plan
from kairos.engine.plan.write import with_evidence
from kairos.engine.rule.model import RuleSet
from kairos.usecases.errors import InputError, reason_of
from kairos.usecases.results.measure import Wanted, answers, newest_event, questions
from kairos.usecases.rules.plans import origins

Rows = list[Mapping[str, Any]]


def find_evidence(
    warehouse: Path, rules: RuleSet, measures: Measures, as_of: int | None = None, engine: str = DUCKDB
) -> dict[str, Evidence]:
    """Plan -> evidence, of those of whose activities an effect on the goal can be told.

    Raises AskError and WarehouseError.
    """
    found: dict[str, dict[str, Rows]] = defaultdict(dict)
    came = {name: of for name, of in origins(rules).items() if rules.activities[name].goal is not None}
    with closing(open_engine(warehouse, engine)) as opened:
        known = as_of if as_of is not None else newest_event(opened)
        wanted = Wanted([f"lift/{name}" for name in came], known)
        asked = questions(opened, rules, measures, wanted) if came else []
        for name, answer in zip(came, answers(opened, rules, measures, wanted, asked), strict=True):
            found[came[name].plan][name] = [*answer.rows]
    told = {plan: evidence_of(rows, known) for plan, rows in sorted(found.items())}
    return {plan: evidence for plan, evidence in told.items() if evidence is not None}


def keep_evidence(library: Path, plans: Mapping[str, Plan], found: Mapping[str, Evidence]) -> list[str]:
    """Writes it into the files of the plans; the paths of those that were changed. Raises InputError."""
    changed = []
    for name, evidence in found.items():
        path = plan_file(library, name)
        if name not in plans or (text := with_evidence(plans[name].text, evidence)) == plans[name].text:
            continue
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError("", str(path), reason_of(error)) from None
        changed.append(str(path))
    return changed
