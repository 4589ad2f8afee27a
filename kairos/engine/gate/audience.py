"""Gate 3: crowds and `where`, of the person as it is now."""

from __future__ import annotations

from kairos.engine.gate.question import Question, Verdict, suppress


def audience(q: Question) -> Verdict | None:
    wanted, inside = q.activity.spec.audience, q.scope.in_crowd
    fits = (
        all(inside(crowd) for crowd in wanted.all_of)
        and (not wanted.any_of or any(inside(crowd) for crowd in wanted.any_of))
        and not any(inside(crowd) for crowd in wanted.not_in)
        and (q.activity.where is None or q.activity.where(q.scope))
    )
    return None if fits else suppress("audience")
