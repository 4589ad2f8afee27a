"""What a check of an expression has found so far."""

from __future__ import annotations

from kairos.engine.expression.problem import Problem
from kairos.engine.expression.tree import Node


class Notes:
    """`text`: of the expression that is checked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def problem(self, node: Node, code: str, message: str, hint: str | None = None) -> str:
        """Notes the problem; the type that the node has from there on, so that nothing follows from it."""
        self.problems.append(Problem(node.start, code, message, hint))
        return "any"

    def warn(self, node: Node, code: str, message: str, hint: str | None = None) -> None:
        self.warnings.append(Problem(node.start, code, message, hint))

    def quote(self, node: Node) -> str:
        words = " ".join(self.text[node.start : node.end].split())
        return f"'{words if len(words) <= 60 else words[:57] + '...'}'"

    def add(self, others: Notes) -> None:
        self.problems += others.problems
        self.warnings += others.warnings
