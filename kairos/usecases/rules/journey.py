"""`kairos journey draw`."""

from __future__ import annotations

from typing import Literal

from kairos.engine.journey.draw import graph_of, mermaid, svg
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.report import listed, nearest
from kairos.usecases.errors import NotThereError


def draw(rules: RuleSet, name: str, format: Literal["mermaid", "svg"], place: str = "the rules") -> str:
    """The text of the picture. `place`: where the rules are. Raises NotThereError."""
    journey = rules.journeys.get(name)
    if journey is None:
        known = sorted(rules.journeys)
        hint = nearest(name, known) or (f"there are {listed(known, 'and')}" if known else "there are none")
        raise NotThereError(f"there is no journey {name!r} in {place}; {hint}")
    graph = graph_of(journey, rules)
    return mermaid(graph) if format == "mermaid" else svg(graph, rules.activities[name].title or name)
