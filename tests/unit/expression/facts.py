"""What the expressions of these tests read."""

from __future__ import annotations

from typing import Any

from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts

PROPS = {
    "amount": 80, "half": 0.5, "one": 1, "city": "sz", "empty": "", "vip": True, "nothing": None,
    "tags": ["a", 1, None],
    "box": {"a": 1}, "biggest": 2**63 - 1, "lowest": -(2**63), "huge": 10**30, "wide": 1e308,
}  # fmt: skip


def value(text: str, scope: Facts) -> Any:
    return parse(text).compile()(scope)
