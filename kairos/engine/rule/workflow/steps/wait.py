"""Time decides: who has second thoughts can still withdraw."""

from __future__ import annotations

from typing import Literal

from kairos.engine.rule.fields.types import Duration, Field
from kairos.engine.rule.workflow.steps.kind import Said

FIELDS: tuple[Field, ...] = (Field("wait", Duration(), "So long after the step before; then it is approved."),)


def votes(said: Said) -> int:
    return 1


def asked(said: Said) -> None:
    """Nobody."""


def by_itself(said: Said, opened_at: int, now: int) -> Literal["approved"] | None:
    return "approved" if now >= opened_at + int(said["wait"]) else None
