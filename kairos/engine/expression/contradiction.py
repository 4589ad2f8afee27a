from __future__ import annotations

from kairos.engine.expression.problem import Problem
from kairos.engine.expression.tree import Node


def contradictions(text: str, tree: Node) -> list[Problem]:
    return []
