"""What is wrong with an expression, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """`offset` counts characters into the expression's text, from 0. `code` is stable, kebab-case."""

    offset: int
    code: str
    message: str
    hint: str | None = None


class ExpressionError(Exception):
    """The text is no expression that can work; `problems` has everything that was found, in order of offset."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The hint for a misspelt name, if one of the known names is near."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None
