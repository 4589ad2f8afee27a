"""Another system decides: it is posted what is to be approved, and has to answer."""

from __future__ import annotations

from kairos.engine.rule.fields.types import Field, Text
from kairos.engine.rule.workflow.steps.kind import AskUrl, Said

FIELDS: tuple[Field, ...] = (
    Field("webhook", Text("an https URL", r"https://[^\s]+", longest=2_000),
          'It is posted the subject and its hashes as JSON, and answers `{"decision": "approved"}` or `"rejected"`, '
          "with a `comment`. While it does not, the step stays open."),
)  # fmt: skip


def votes(said: Said) -> int:
    return 1


def asked(said: Said) -> None:
    """Nobody."""


def by_itself(said: Said, opened_at: int, now: int) -> AskUrl:
    return AskUrl(str(said["webhook"]))
