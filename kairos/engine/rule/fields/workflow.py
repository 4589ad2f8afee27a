"""`workflow.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import NAMED, NAMES, RULE
from kairos.engine.rule.fields.types import REQUIRED, Field, ListOf, MapOf, Record
from kairos.engine.rule.workflow.steps import KINDS

STEP = Record(
    "step of a workflow",
    "Somebody or something that has to agree.",
    tuple(field for kind in KINDS.values() for field in kind.FIELDS),
    choose=tuple(KINDS),
)

PATH = Record(
    "path of a workflow",
    "The steps that something takes. The first path that is true is taken; the last one has no `when`.",
    (
        Field("when", RULE, "Reads what is to be approved: `channel`, `reach`, `caps` and so on.",
              shown_default="always"),
        Field("then", NAMES, "The steps, in their order; `[]`: it needs nobody.", REQUIRED),
    ),
)  # fmt: skip

WORKFLOW = Record(
    "workflow",
    "`workflow.yaml`: who has to agree before something runs. Without this file nobody has to.",
    (
        Field("steps", MapOf("step", NAMED, STEP), "All steps there are, by name.", REQUIRED),
        Field("paths", ListOf(PATH, 1), "Which of them something takes.", REQUIRED),
    ),
)
