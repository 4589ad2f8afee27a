"""People decide: as many different ones as the quorum says."""

from __future__ import annotations

from kairos.engine.rule.fields.common import NAMED
from kairos.engine.rule.fields.types import Field, Integer
from kairos.engine.rule.workflow.steps.kind import Said

FIELDS: tuple[Field, ...] = (
    Field("by", NAMED, "People with the role `reviewer:` and this name, or that of the step, decide."),
    Field("quorum", Integer(1, 10), "So many of them have to agree; with `by`.", 1),
)


def votes(said: Said) -> int:
    return int(said["quorum"])


def asked(said: Said) -> str:
    return str(said["by"])


def by_itself(said: Said, opened_at: int, now: int) -> None:
    """Nothing."""
