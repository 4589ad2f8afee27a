"""What somebody may ask of the warehouse by hand: one SELECT over its tables."""

from __future__ import annotations

from kairos.adapters.warehouse.port import QueryError
from kairos.adapters.warehouse.sql import parse
from kairos.engine.warehouse.select import problems_of
from kairos.engine.warehouse.tables import TABLES


def check(sql: str) -> None:
    """Raises QueryError, with what is wrong and what would be right."""
    for problem in problems_of(parse(sql), TABLES):
        raise QueryError(f"{problem.message}; {problem.hint}" if problem.hint else problem.message)
